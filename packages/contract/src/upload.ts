import { z } from 'zod';
import { chunkingSchema, collectionNameSchema } from './collection.ts';
import { metadataSchema } from './metadata.ts';
import { storableText } from './storable-text.ts';

const prioritySchema = z
  .enum(['high', 'normal', 'low'])
  .describe(
    'While both wait, a collection gets four uploads of a higher priority done for one of the next. Collections share the workers evenly.',
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
    priority: prioritySchema.default('normal'),
  })
  .meta({ id: 'UploadOptions' });

export const uploadHeadersSchema = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 visible ASCII characters, such as a UUID')
    .optional()
    .describe(
      'A key of yours for this request, kept for a day. The same request with the same key is answered with the uploads ' +
        'of the first (`Idempotent-Replayed: true`) and brings nothing twice.',
    ),
});

export const watchHeadersSchema = z.object({
  'Last-Event-ID': z
    .string()
    .optional()
    .describe('Id of the last event seen. What is not one of ours is passed over.'),
});

/** Query parameters that hold for a whole request. */
export const uploadRequestSchema = z.object({
  batch: z.uuid().optional().describe('Id of the batch that the uploads belong to'),
  webhook: z
    .string()
    .min(1)
    .max(2_048)
    .optional()
    .describe(
      'URL that is sent a signed message when an upload of the request has ended; only where the server allows it ' +
        '(WEBHOOK_HOSTS). Default: that of the server, if it has one.',
    ),
});

export const textUploadSchema = uploadOptionsSchema
  .safeExtend({
    text: z.string().min(1).describe('The document itself'),
    format: z.enum(['text', 'markdown', 'html']).default('text'),
  })
  .meta({ id: 'TextUpload' });

export const urlUploadSchema = uploadOptionsSchema
  .safeExtend({
    url: z
      .string()
      .min(1)
      .max(2_048)
      .describe(
        'Where the document is. It is fetched before the answer; only where the server allows it (UPLOAD_URL_HOSTS).',
      ),
  })
  .meta({ id: 'UrlUpload' });

const uploadStateSchema = z
  .enum(['queued', 'processing', 'ready', 'failed', 'superseded', 'cancelled'])
  .describe('Final: ready, failed, cancelled, superseded (a later version of the document was live first)');

export const uploadSchema = z
  .object({
    id: z.uuid(),
    status_url: z.string(),
    events_url: z.string(),
    job_url: z.string().describe('Its job in the queue dashboard, for who has the scope monitor'),
    state: uploadStateSchema,
    stage: z.enum(['waiting', 'extracting', 'embedding', 'publishing', 'done']),
    progress: z.object({
      done: z.int().describe('Chunks embedded'),
      total: z.int().nullable().describe('Chunks of the document; null until it is known'),
    }),
    attempts: z.int(),
    batch_id: z.uuid().nullable().describe('The batch that it belongs to'),
    error: z
      .object({ code: z.string(), message: z.string(), stage: z.string(), retryable: z.boolean() })
      .nullable()
      .describe('Why it failed, or why the last attempt did'),
    waiting: z
      .object({
        reason: z
          .enum([
            'next',
            'workers_busy',
            'workers_paused',
            'workers_stuck',
            'between_attempts',
            'no_worker',
            'not_taken',
          ])
          .describe(
            '`no_worker`: none was seen for 20 seconds; `workers_paused`: all of them wait for the database; `workers_stuck`: none moves on; ' +
              '`not_taken`: there are free ones, and it has waited for a while all the same',
          ),
        ahead: z.int().describe('Waiting uploads whose turn comes before, counted up to 10 000'),
        detail: z.string().describe('The reason in words, with what to do'),
      })
      .optional()
      .describe('Why it waits; only in the status of one upload, while it is `queued`'),
    unchanged: z
      .boolean()
      .describe('The live version had the same bytes, settings, name and metadata, so nothing was done'),
    collection: collectionNameSchema,
    document_id: z.uuid(),
    external_id: z.string(),
    name: z.string(),
    format: z.string(),
    size_bytes: z.int(),
    priority: prioritySchema,
    sha256: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    timings: z.object({
      accepted_at: z.iso.datetime(),
      started_at: z.iso.datetime().nullable(),
      finished_at: z.iso.datetime().nullable(),
      waited_ms: z.int().nullable().describe('From acceptance to the first attempt'),
      processed_ms: z.int().nullable().describe('From the first attempt to the end'),
      stages_ms: z
        .object({ extracting: z.int(), embedding: z.int(), publishing: z.int() })
        .partial()
        .nullable()
        .describe(
          'Of the attempt that made it ready: time spent on each stage, summed over windows of a large document, which overlap',
        ),
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

export const redriveSchema = z
  .strictObject({
    collection: collectionNameSchema.optional(),
    code: z.string().max(100).optional().describe('Only those that failed with this error code'),
    retryable: z.boolean().optional().describe('Only those whose cause may pass (true), or will not (false)'),
    limit: z.int().min(1).max(1_000).default(1_000).describe('Most uploads of this call, the oldest first'),
  })
  .meta({ id: 'Redrive' });

export const redrivenSchema = z
  .object({
    upload_ids: z.array(z.uuid()).describe('Back in line'),
    remaining: z.int().describe('Failed uploads that fit as well; call again'),
  })
  .meta({ id: 'Redriven' });

export type UploadOptions = z.output<typeof uploadOptionsSchema>;
export type TextUpload = z.output<typeof textUploadSchema>;
export type UploadBody = z.output<typeof uploadSchema>;
export type RedrivenBody = z.output<typeof redrivenSchema>;
