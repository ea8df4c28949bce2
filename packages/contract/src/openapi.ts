import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponsesObject } from 'zod-openapi';
import {
  apiKeyListSchema,
  apiKeySchema,
  madeApiKeySchema,
  newApiKeySchema,
  rotationSchema,
} from './api-key.ts';
import { auditListQuerySchema, auditListSchema } from './audit.ts';
import { batchSchema, batchUploadsQuerySchema, newBatchSchema } from './batch.ts';
import {
  collectionChangeSchema,
  collectionListSchema,
  collectionNameSchema,
  collectionSchema,
  newCollectionSchema,
} from './collection.ts';
import {
  chunkListQuerySchema,
  chunkListSchema,
  documentChangeSchema,
  documentListQuerySchema,
  documentListSchema,
  documentSchema,
  documentTextSchema,
} from './document.ts';
import { readinessSchema } from './health.ts';
import { databaseStatsSchema, poolReportSchema, queueReportSchema, scalingSchema } from './monitoring.ts';
import { type ProblemCode, problemCodes, problemSchema } from './problem.ts';
import { measurementSchema, qualitySchema } from './quality.ts';
import { answerSchema, querySchema } from './query.ts';
import { receiptSchema } from './receipt.ts';
import {
  acceptedSchema,
  redrivenSchema,
  redriveSchema,
  textUploadSchema,
  uploadHeadersSchema,
  uploadListQuerySchema,
  uploadListSchema,
  uploadOptionsSchema,
  uploadRequestSchema,
  uploadSchema,
  urlUploadSchema,
  watchHeadersSchema,
} from './upload.ts';

const json = (description: string, schema: z.ZodType) => ({
  description,
  content: { 'application/json': { schema } },
});

/** Problem responses, one a status, that list the codes with their meaning. */
function problems(...codes: ProblemCode[]): ZodOpenApiResponsesObject {
  const responses: ZodOpenApiResponsesObject = {};
  const everywhere: ProblemCode[] = [
    'unauthorized',
    'forbidden',
    'rate_limited',
    'overloaded',
    'database_unavailable',
    'internal',
  ];
  for (const status of new Set([...codes, ...everywhere].map((code) => problemCodes[code][0]))) {
    const meanings = [...codes, ...everywhere]
      .filter((code) => problemCodes[code][0] === status)
      .map((code) => `\`${code}\`: ${problemCodes[code][1]}.`);
    responses[`${status}` as `4${string}`] = {
      description: meanings.join(' '),
      content: { 'application/problem+json': { schema: problemSchema } },
    };
  }
  return responses;
}

const deletedMeaning =
  'Deleted, with a receipt: what went, and what was found of it afterwards. All of `remaining` is zero, else `reasons` says why';

const id = (what: string) => z.object({ id: z.uuid().describe(`Id of the ${what}`) });

const keyId = z.object({ id: z.string().describe('Id of the key') });

const uploadMultipart = z.object({
  collection: collectionNameSchema.optional(),
  external_id: z.string().optional(),
  name: z.string().optional(),
  metadata: z.string().optional().describe('A JSON object'),
  chunking: z.string().optional().describe('A JSON object {max_tokens, overlap_tokens}'),
  file: z
    .string()
    .meta({ format: 'binary' })
    .describe('One or several; the fields hold for the files that follow them'),
});

const createUpload: ZodOpenApiOperationObject = {
  operationId: 'createUpload',
  summary: 'Upload documents',
  description:
    'Answers 202 once the bytes are durable in Postgres. Multipart: several files make several uploads; a field holds ' +
    'for every file that follows it, `external_id` and `name` for the next one only. Either all files of a request are ' +
    'accepted or none.',
  tags: ['Uploads'],
  requestParams: {
    query: uploadOptionsSchema
      .omit({ metadata: true, chunking: true })
      .partial()
      .safeExtend(uploadRequestSchema.shape),
    header: uploadHeadersSchema,
  },
  requestBody: {
    required: true,
    content: {
      'multipart/form-data': { schema: uploadMultipart },
      'application/json': { schema: z.union([textUploadSchema, urlUploadSchema]) },
      'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) },
    },
  },
  responses: {
    '202': json('Accepted', acceptedSchema),
    ...problems(
      'invalid_request',
      'invalid_json',
      'invalid_multipart',
      'no_file',
      'empty_file',
      'collection_not_found',
      'batch_not_found',
      'batch_cancelled',
      'batch_full',
      'file_too_large',
      'too_many_files',
      'unknown_format',
      'idempotency_key_reused',
      'backlog_full',
      'quota_exceeded',
      'url_not_allowed',
      'url_refused',
      'url_unreachable',
      'url_timeout',
    ),
  },
};

const report = (
  operationId: string,
  summary: string,
  schema: z.ZodType,
): { get: ZodOpenApiOperationObject } => ({
  get: {
    operationId,
    summary,
    tags: ['Monitoring'],
    responses: { '200': json('As of a few seconds ago at most', schema), ...problems() },
  },
});

/** The OpenAPI 3.1 document, made from the schemas that validate the requests. */
export function openApiDocument(version: string): ReturnType<typeof createDocument> {
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Sluice',
      version,
      description: 'Document ingestion and vector search on your own Postgres.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{}, { key: [] }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    paths: {
      '/v1/uploads': {
        post: createUpload,
        get: {
          operationId: 'listUploads',
          summary: 'List uploads, newest first',
          tags: ['Uploads'],
          requestParams: { query: uploadListQuerySchema },
          responses: {
            '200': json('A page', uploadListSchema),
            ...problems('invalid_request', 'collection_not_found'),
          },
        },
      },
      '/v1/uploads/{id}': {
        get: {
          operationId: 'getUpload',
          summary: 'Status of an upload',
          tags: ['Uploads'],
          requestParams: { path: id('upload') },
          responses: { '200': json('Its status', uploadSchema), ...problems('upload_not_found') },
        },
        delete: {
          operationId: 'deleteUpload',
          summary: 'Delete an upload and what came of it',
          description:
            'Also while it is being worked on. Its document goes too when this upload is the live version, or the only one.',
          tags: ['Uploads'],
          requestParams: { path: id('upload') },
          responses: { '200': json(deletedMeaning, receiptSchema), ...problems('upload_not_found') },
        },
      },
      '/v1/uploads/retry': {
        post: {
          operationId: 'redriveUploads',
          summary: 'Put failed uploads back in line',
          description:
            'The oldest first, up to `limit`. `GET /v1/uploads?state=failed` lists them with their errors.',
          tags: ['Uploads'],
          requestBody: { content: { 'application/json': { schema: redriveSchema } } },
          responses: {
            '200': json('Those that are back in line', redrivenSchema),
            ...problems('invalid_request', 'invalid_json', 'collection_not_found'),
          },
        },
      },
      '/v1/uploads/{id}/cancel': {
        post: {
          operationId: 'cancelUpload',
          summary: 'Cancel an upload that has not ended',
          description:
            'Also while it is being worked on; nothing of it becomes searchable. A live version of its document stays. ' +
            'It can be retried, since its bytes are kept until it is deleted.',
          tags: ['Uploads'],
          requestParams: { path: id('upload') },
          responses: {
            '200': json('Cancelled, now or before', uploadSchema),
            ...problems('upload_not_found', 'upload_final'),
          },
        },
      },
      '/v1/uploads/{id}/retry': {
        post: {
          operationId: 'retryUpload',
          summary: 'Put an upload that failed or was cancelled back in line',
          description:
            'With all its attempts. A later version of its document that is live meanwhile still wins.',
          tags: ['Uploads'],
          requestParams: { path: id('upload') },
          responses: {
            '202': json('In line', uploadSchema),
            ...problems('upload_not_found', 'upload_not_retryable'),
          },
        },
      },
      '/v1/uploads/{id}/events': {
        get: {
          operationId: 'watchUpload',
          summary: 'Status of an upload, live',
          description:
            'Server-sent events named `status` whose data is the upload: the status as it is, then each change of it. The stream ends with ' +
            'the final one, or with an event named `deleted`. The id of an event is the same at every replica: a client that comes back ' +
            'with `Last-Event-ID` gets what came after.',
          tags: ['Uploads'],
          requestParams: { path: id('upload'), header: watchHeadersSchema },
          responses: {
            '200': { description: 'Events', content: { 'text/event-stream': { schema: z.string() } } },
            '204': { description: '`Last-Event-ID` was the final status: there is no need to come back' },
            ...problems('upload_not_found'),
          },
        },
      },
      '/v1/batches': {
        post: {
          operationId: 'createBatch',
          summary: 'Create a batch',
          description:
            'Then send files to `POST /v1/uploads?batch={id}`, in one request or several, up to 2 000 in all.',
          tags: ['Batches'],
          requestBody: { content: { 'application/json': { schema: newBatchSchema } } },
          responses: { '201': json('Created', batchSchema), ...problems('invalid_request', 'invalid_json') },
        },
      },
      '/v1/batches/{id}': {
        get: {
          operationId: 'getBatch',
          summary: 'Status of a batch',
          tags: ['Batches'],
          requestParams: { path: id('batch') },
          responses: { '200': json('Its status', batchSchema), ...problems('batch_not_found') },
        },
      },
      '/v1/batches/{id}/uploads': {
        get: {
          operationId: 'listBatchUploads',
          summary: 'List the uploads of a batch, newest first',
          tags: ['Batches'],
          requestParams: { path: id('batch'), query: batchUploadsQuerySchema },
          responses: {
            '200': json('A page', uploadListSchema),
            ...problems('invalid_request', 'batch_not_found'),
          },
        },
      },
      '/v1/batches/{id}/cancel': {
        post: {
          operationId: 'cancelBatch',
          summary: 'Cancel all uploads of a batch that have not ended',
          description: 'All at once. What is ready stays ready; the batch takes no more uploads.',
          tags: ['Batches'],
          requestParams: { path: id('batch') },
          responses: { '200': json('Cancelled, now or before', batchSchema), ...problems('batch_not_found') },
        },
      },
      '/v1/batches/{id}/events': {
        get: {
          operationId: 'watchBatch',
          summary: 'Status of a batch, live',
          description:
            'Server-sent events named `status` whose data is the batch. The stream ends when all its uploads have ended; ' +
            'that of an empty batch waits for the first.',
          tags: ['Batches'],
          requestParams: { path: id('batch') },
          responses: {
            '200': { description: 'Events', content: { 'text/event-stream': { schema: z.string() } } },
            ...problems('batch_not_found'),
          },
        },
      },
      '/v1/documents': {
        get: {
          operationId: 'listDocuments',
          summary: 'List the live documents of a collection',
          description:
            'In the order in which they were created. With `external_id`, the one document that has it.',
          tags: ['Documents'],
          requestParams: { query: documentListQuerySchema },
          responses: {
            '200': json('A page', documentListSchema),
            ...problems('invalid_request', 'collection_not_found'),
          },
        },
      },
      '/v1/documents/{id}/chunks': {
        get: {
          operationId: 'listChunks',
          summary: 'What searches see of a document, in its order',
          tags: ['Documents'],
          requestParams: { path: id('document'), query: chunkListQuerySchema },
          responses: {
            '200': json('A page', chunkListSchema),
            ...problems('invalid_request', 'document_not_found'),
          },
        },
      },
      '/v1/documents/{id}/text': {
        get: {
          operationId: 'getDocumentText',
          summary: 'The text that was extracted from a document',
          description:
            'Put together from its chunks, without what they repeat. `char_start` and `char_end` of a chunk index it, in UTF-16 units. ' +
            'Blanks between two chunks are there in their number, but a line end may stand where a space was, or the other way round. ' +
            'The ETag changes with the version. When another version goes live in the middle, the answer is cut off.',
          tags: ['Documents'],
          requestParams: { path: id('document') },
          responses: {
            '200': {
              description: 'The text, as the type that Accept prefers',
              content: {
                'text/plain': { schema: z.string() },
                'application/json': { schema: documentTextSchema },
              },
            },
            '304': { description: 'The version of If-None-Match is still live' },
            ...problems('document_not_found', 'document_changed', 'not_acceptable'),
          },
        },
      },
      '/v1/documents/{id}': {
        patch: {
          operationId: 'updateDocument',
          summary: 'Change name or metadata of a document',
          description:
            'Visible to the next search; nothing is extracted or embedded again. `metadata` replaces what there was. A later ' +
            'version of the document brings its own.',
          tags: ['Documents'],
          requestParams: { path: id('document') },
          requestBody: { required: true, content: { 'application/json': { schema: documentChangeSchema } } },
          responses: {
            '200': json('The document', documentSchema),
            ...problems('invalid_request', 'invalid_json', 'document_not_found'),
          },
        },
        get: {
          operationId: 'getDocument',
          summary: 'A live document',
          tags: ['Documents'],
          requestParams: { path: id('document') },
          responses: { '200': json('The document', documentSchema), ...problems('document_not_found') },
        },
        delete: {
          operationId: 'deleteDocument',
          summary: 'Delete a document with its chunks and uploads',
          tags: ['Documents'],
          requestParams: { path: id('document') },
          responses: { '200': json(deletedMeaning, receiptSchema), ...problems('document_not_found') },
        },
      },
      '/v1/collections': {
        post: {
          operationId: 'createCollection',
          summary: 'Create a collection',
          tags: ['Collections'],
          requestBody: { required: true, content: { 'application/json': { schema: newCollectionSchema } } },
          responses: {
            '201': json('Created', collectionSchema),
            ...problems('invalid_request', 'invalid_json', 'collection_exists', 'unsupported_dimensions'),
          },
        },
        get: {
          operationId: 'listCollections',
          summary: 'List collections',
          tags: ['Collections'],
          responses: { '200': json('All of them', collectionListSchema), ...problems() },
        },
      },
      '/v1/collections/{name}': {
        get: {
          operationId: 'getCollection',
          summary: 'A collection and its figures',
          tags: ['Collections'],
          requestParams: { path: z.object({ name: collectionNameSchema }) },
          responses: { '200': json('The collection', collectionSchema), ...problems('collection_not_found') },
        },
        patch: {
          operationId: 'updateCollection',
          summary: 'Change which fields of the metadata have an index',
          description:
            'The list takes the place of the one before. Indexes are built and dropped by a worker beside searches and uploads; ' +
            'until one is ready filters do without it.',
          tags: ['Collections'],
          requestParams: { path: z.object({ name: collectionNameSchema }) },
          requestBody: {
            required: true,
            content: { 'application/json': { schema: collectionChangeSchema } },
          },
          responses: {
            '200': json('The collection', collectionSchema),
            ...problems('invalid_request', 'invalid_json', 'collection_not_found'),
          },
        },
        delete: {
          operationId: 'deleteCollection',
          summary: 'Delete a collection with everything in it',
          tags: ['Collections'],
          requestParams: { path: z.object({ name: collectionNameSchema }) },
          responses: { '200': json(deletedMeaning, receiptSchema), ...problems('collection_not_found') },
        },
      },
      '/v1/collections/{name}/quality': {
        get: {
          operationId: 'getQuality',
          summary: 'How much of what exact search finds the collection’s searches find',
          description: 'As it was measured last. Workers measure in the background what has changed.',
          tags: ['Collections'],
          requestParams: { path: z.object({ name: collectionNameSchema }) },
          responses: { '200': json('The recall', qualitySchema), ...problems('collection_not_found') },
        },
        post: {
          operationId: 'measureQuality',
          summary: 'Measure it now',
          description:
            'Takes ten seconds at most, and a scan of all vectors for each query; what was compared by then counts. The effort of searches is ' +
            'chosen anew.',
          tags: ['Collections'],
          requestParams: { path: z.object({ name: collectionNameSchema }) },
          requestBody: { content: { 'application/json': { schema: measurementSchema } } },
          responses: {
            '200': json('The recall', qualitySchema),
            ...problems('invalid_request', 'invalid_json', 'collection_not_found'),
          },
        },
      },
      '/v1/receipts/{id}': {
        get: {
          operationId: 'getReceipt',
          summary: 'Count again what is left of a deletion',
          tags: ['Deletions'],
          requestParams: { path: id('receipt') },
          responses: { '200': json('What is left now', receiptSchema), ...problems('receipt_not_found') },
        },
      },
      '/v1/keys': {
        post: {
          operationId: 'createKey',
          summary: 'Create an API key',
          description: 'The answer holds the key itself, this once. It can be used at once.',
          tags: ['Access'],
          requestBody: { required: true, content: { 'application/json': { schema: newApiKeySchema } } },
          responses: {
            '201': json('Created', madeApiKeySchema),
            ...problems('invalid_request', 'invalid_json'),
          },
        },
        get: {
          operationId: 'listKeys',
          summary: 'List API keys, newest first',
          tags: ['Access'],
          responses: {
            '200': json('All of them, also those that have ended', apiKeyListSchema),
            ...problems(),
          },
        },
      },
      '/v1/keys/{id}': {
        get: {
          operationId: 'getKey',
          summary: 'An API key',
          tags: ['Access'],
          requestParams: { path: keyId },
          responses: { '200': json('The key', apiKeySchema), ...problems('key_not_found') },
        },
        delete: {
          operationId: 'revokeKey',
          summary: 'Revoke an API key for good',
          description: 'On all gateways within a second; what it has under way is cut off.',
          tags: ['Access'],
          requestParams: { path: keyId },
          responses: { '200': json('Revoked, now or before', apiKeySchema), ...problems('key_not_found') },
        },
      },
      '/v1/keys/{id}/rotate': {
        post: {
          operationId: 'rotateKey',
          summary: 'Give an API key another secret',
          description:
            'Id, rights and limits stay. The key of before is taken for the time of grace as well.',
          tags: ['Access'],
          requestParams: { path: keyId },
          requestBody: { content: { 'application/json': { schema: rotationSchema } } },
          responses: {
            '200': json('With the new key, this once', madeApiKeySchema),
            ...problems('invalid_request', 'invalid_json', 'key_not_found', 'key_ended'),
          },
        },
      },
      '/v1/audit': {
        get: {
          operationId: 'listAudit',
          summary: 'What administrators have done, newest first',
          description:
            'Keys made, rotated and revoked, collections made, changed and deleted, uploads put back in line together, changes in the queue ' +
            'dashboard. Kept for 400 days.',
          tags: ['Access'],
          requestParams: { query: auditListQuerySchema },
          responses: { '200': json('A page', auditListSchema), ...problems('invalid_request') },
        },
      },
      '/v1/query': {
        post: {
          operationId: 'query',
          summary: 'Search a collection',
          tags: ['Search'],
          requestBody: { required: true, content: { 'application/json': { schema: querySchema } } },
          responses: {
            '200': json('The nearest chunks and how they were found', answerSchema),
            ...problems(
              'invalid_request',
              'invalid_json',
              'wrong_vector_length',
              'collections_differ',
              'deadline_exceeded',
              'collection_not_found',
              'cursor_expired',
              'embedding_unavailable',
            ),
          },
        },
      },
      '/readyz': {
        get: {
          operationId: 'ready',
          summary: 'Whether the gateway can serve, and what stands in the way',
          tags: ['Health'],
          responses: { '200': json('Ready', readinessSchema), '503': json('Not ready', readinessSchema) },
        },
      },
      '/healthz': {
        get: {
          operationId: 'alive',
          summary: 'Whether the process is alive',
          tags: ['Health'],
          responses: { '200': json('Alive', z.object({ status: z.literal('ok') })) },
        },
      },
      '/monitoring/pool-status': report(
        'poolStatus',
        'The connections of this gateway, of the fleet, and who runs',
        poolReportSchema,
      ),
      '/monitoring/database-stats': report(
        'databaseStats',
        'Collections, the server, and what to change about them',
        databaseStatsSchema,
      ),
      '/monitoring/queues': report('queues', 'Jobs and uploads by state', queueReportSchema),
      '/monitoring/scaling': report('scaling', 'How many workers are needed, and why', scalingSchema),
      '/metrics': {
        get: {
          operationId: 'metrics',
          summary: 'Figures of this gateway, for Prometheus',
          tags: ['Health'],
          responses: {
            '200': { description: 'In the text format', content: { 'text/plain': { schema: z.string() } } },
            ...problems(),
          },
        },
      },
    },
  });
}
