import { z } from 'zod';
import { chunkingSchema, collectionNameSchema } from './collection.ts';
import { metadataSchema } from './metadata.ts';

/** Rejects what Postgres text cannot hold. */
const storableText = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine(
      (value) => !value.includes('\0') && value.isWellFormed(),
      'expected well-formed Unicode without NUL',
    );

/** What a request may say about what it uploads: multipart fields, query parameters of a raw body, members of JSON. */
export const uploadOptionsSchema = z
  .strictObject({
    collection: collectionNameSchema.default('default'),
    external_id: storableText(512)
      .optional()
      .describe('Your id of the document: a later upload with the same id replaces it. Default: generated.'),
    name: storableText(512).optional().describe('Name of the document. Default: the name of the file.'),
    metadata: metadataSchema.default({}),
    chunking: chunkingSchema.optional().describe('Default: that of the collection'),
  })
  .meta({ id: 'UploadOptions' });

export const textUploadSchema = uploadOptionsSchema
  .safeExtend({
    text: z.string().min(1).describe('The document itself'),
    format: z.enum(['text', 'markdown', 'html']).default('text'),
  })
  .meta({ id: 'TextUpload' });

const uploadStateSchema = z
  .enum(['queued', 'processing', 'ready', 'failed', 'superseded'])
  .describe('Final: ready, failed, superseded (a later version of the document was live first)');

export const uploadSchema = z
  .object({
    id: z.uuid(),
    status_url: z.string(),
    events_url: z.string(),
    state: uploadStateSchema,
    stage: z.enum(['waiting', 'extracting', 'embedding', 'publishing', 'done']),
    progress: z.object({
      done: z.int().describe('Chunks embedded'),
      total: z.int().nullable().describe('Chunks of the document; null until it is known'),
    }),
    attempts: z.int(),
    error: z
      .object({ code: z.string(), message: z.string(), stage: z.string(), retryable: z.boolean() })
      .nullable()
      .describe('Why it failed, or why the last attempt did'),
    collection: collectionNameSchema,
    document_id: z.uuid(),
    external_id: z.string(),
    name: z.string(),
    format: z.string(),
    size_bytes: z.int(),
    sha256: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    timings: z.object({
      accepted_at: z.iso.datetime(),
      started_at: z.iso.datetime().nullable(),
      finished_at: z.iso.datetime().nullable(),
      waited_ms: z.int().nullable().describe('From acceptance to the first attempt'),
      processed_ms: z.int().nullable().describe('From the first attempt to the end'),
    }),
  })
  .meta({ id: 'Upload' });

export const acceptedSchema = z
  .object({ uploads: z.array(uploadSchema) })
  .meta({ id: 'Accepted', description: 'One upload a file, in the order of the request' });

export const uploadListSchema = z
  .object({ uploads: z.array(uploadSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'UploadList' });

export const uploadListQuerySchema = z.strictObject({
  collection: collectionNameSchema.optional(),
  state: uploadStateSchema.optional(),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'expected the next_cursor of the page before')
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const documentSchema = z
  .object({
    id: z.uuid(),
    collection: collectionNameSchema,
    external_id: z.string(),
    name: z.string(),
    title: z.string().nullable(),
    format: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    chunks: z.int(),
    characters: z.int(),
    upload_id: z.uuid().describe('The upload whose version is live'),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Document' });

export type UploadOptions = z.output<typeof uploadOptionsSchema>;
export type TextUpload = z.output<typeof textUploadSchema>;
export type UploadBody = z.output<typeof uploadSchema>;
export type DocumentBody = z.output<typeof documentSchema>;
