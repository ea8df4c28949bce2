// What it means to ingest. Withheld: the steps of an attempt, which only make sense under their fence.
export {
  type AcceptedUploads,
  createUploadBatch,
  type IncomingFile,
  type UploadBatch,
  type UploadBatchOptions,
} from './accept-upload.ts';
export type { IngestionDependencies } from './attempt.ts';
export { maxBatchUploads, requireRoomInBatch } from './batch-room.ts';
export { type BuiltIndex, type IndexBuilderOptions, startIndexBuilder } from './build-index.ts';
export { createEmbedders, type Embedders, type EmbeddersOptions } from './embedders.ts';
export { IngestionError, type IngestionErrorCode } from './errors.ts';
export { UploadFailed } from './failure.ts';
export { type IngestContext, type IngestOutcome, ingestUpload } from './ingest-upload.ts';
export { createPublisher, type Publisher, type PublisherOptions } from './publisher.ts';
export { type ReconcileReport, reconcile, startReconciler } from './reconcile.ts';
export { startWebhookSender, type WebhookSenderOptions } from './webhook-sender.ts';
export { createWriteThrottle, type WriteThrottle, type WriteThrottleOptions } from './write-throttle.ts';
