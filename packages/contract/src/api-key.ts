import { z } from 'zod';
import { collectionNameSchema } from './collection.ts';
import { storableText } from './storable-text.ts';

const scopeSchema = z
  .enum(['ingest', 'query', 'monitor', 'admin'])
  .describe(
    'ingest: uploads, batches, receipts, changes of documents. query: searches, reading documents and collections. monitor: metrics and the queue ' +
      'dashboard, without changing anything. admin: all of that, keys, collections, and changes in the dashboard.',
  );

const limitsSchema = z.strictObject({
  requests_per_minute: z.int().min(0).max(1_000_000).nullable().default(null),
  uploads_per_day: z.int().min(0).max(1_000_000_000).nullable().default(null),
  upload_bytes_per_day: z.int().min(0).max(Number.MAX_SAFE_INTEGER).nullable().default(null),
});

const unique = (values: readonly string[]) => new Set(values).size === values.length;

export const newApiKeySchema = z
  .strictObject({
    name: storableText(100).describe('What people know it by'),
    scopes: z.array(scopeSchema).min(1).refine(unique, { error: 'expected each scope once' }),
    collections: z
      .array(collectionNameSchema)
      .min(1)
      .max(100)
      .refine(unique, { error: 'expected each collection once' })
      .optional()
      .describe('Only these, by name, whether they are there yet or not. Default: all of them'),
    expires_at: z.iso
      .datetime({ offset: true })
      .refine((value) => Date.parse(value) > Date.now(), { error: 'expected a time that is still to come' })
      .optional()
      .describe('Default: never'),
    limits: limitsSchema
      .default({ requests_per_minute: null, uploads_per_day: null, upload_bytes_per_day: null })
      .describe('null: what the server has for all keys; 0: no limit'),
  })
  .refine(
    ({ scopes, collections }) =>
      !collections || !scopes.some((scope) => scope === 'monitor' || scope === 'admin'),
    {
      path: ['collections'],
      error: 'expected none with the scopes monitor and admin, which see all collections',
    },
  )
  .meta({ id: 'NewApiKey' });

export const apiKeySchema = z
  .object({
    id: z.string(),
    prefix: z.string().describe('How the key begins, to tell which one it is'),
    name: z.string(),
    scopes: z.array(scopeSchema),
    collections: z.array(z.string()).nullable().describe('null: all of them'),
    state: z.enum(['active', 'expired', 'revoked']),
    limits: limitsSchema,
    created_by: z.string().describe('Id of the key that made it, or what did'),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    revoked_at: z.iso.datetime().nullable(),
    last_used_at: z.iso.datetime().nullable().describe('To the minute'),
    previous_until: z.iso
      .datetime()
      .nullable()
      .describe('Until when the key from before the last rotation is taken, too'),
  })
  .meta({ id: 'ApiKey' });

/** The only answers that hold a key itself. */
export const madeApiKeySchema = apiKeySchema
  .extend({ key: z.string().describe('Shown now and never again') })
  .meta({ id: 'MadeApiKey' });

export const apiKeyListSchema = z.object({ keys: z.array(apiKeySchema) }).meta({ id: 'ApiKeyList' });

export const rotationSchema = z
  .strictObject({
    grace_seconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(86_400)
      .describe('How long the key of before is taken, too. 0: no longer'),
  })
  .meta({ id: 'Rotation' });

export type NewApiKeyBody = z.output<typeof newApiKeySchema>;
export type ApiKeyBody = z.output<typeof apiKeySchema>;
export type MadeApiKeyBody = z.output<typeof madeApiKeySchema>;
