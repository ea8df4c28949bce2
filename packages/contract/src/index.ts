// The HTTP API as zod schemas. The same schemas validate requests, type the clients and make the OpenAPI document.
export {
  type ApiKeyBody,
  type MadeApiKeyBody,
  type NewApiKeyBody,
  newApiKeySchema,
  rotationSchema,
} from './api-key.ts';
export { type AuditEntryBody, auditListQuerySchema } from './audit.ts';
export { type BatchBody, batchUploadsQuerySchema, newBatchSchema } from './batch.ts';
export {
  type CollectionBody,
  collectionChangeSchema,
  collectionNameSchema,
  type NewCollectionBody,
  newCollectionSchema,
} from './collection.ts';
export {
  type ChunkBody,
  chunkListQuerySchema,
  type DocumentBody,
  documentChangeSchema,
  documentListQuerySchema,
} from './document.ts';
export type { Filter, Operand } from './filter.ts';
export type { Readiness } from './health.ts';
export {
  type CollectionStatsBody,
  type DatabaseStatsBody,
  databaseStatsSchema,
  type PoolReportBody,
  type PoolStatusBody,
  poolReportSchema,
  type QueueReportBody,
  queueReportSchema,
  type RecommendationBody,
  type RecommendationId,
  type ReplicaBody,
  recommendationIds,
  type ScalingBody,
  scalingSchema,
} from './monitoring.ts';
export { openApiDocument } from './openapi.ts';
export { type Problem, type ProblemCode, problemCodes } from './problem.ts';
export { measurementSchema, type QualityBody } from './quality.ts';
export {
  type AnswerBody,
  type HitBody,
  type HitPart,
  maxResults,
  type QueryBody,
  querySchema,
} from './query.ts';
export type { ReceiptBody } from './receipt.ts';
export {
  type RedrivenBody,
  redriveSchema,
  type TextUpload,
  textUploadSchema,
  type UploadBody,
  type UploadOptions,
  uploadHeadersSchema,
  uploadListQuerySchema,
  uploadOptionsSchema,
  uploadRequestSchema,
  urlUploadSchema,
} from './upload.ts';
