// Everything Sluice keeps in Postgres. Withheld: table names and field encoders, so that all SQL on our tables lives here.

export { acceptUploads, type ReceivedUpload, settleUnchanged } from './accept-uploads.ts';
export { presentApiKey, readNewApiKey } from './api-key-body.ts';
export {
  type ApiKeyRing,
  type ApiKeyRingOptions,
  createApiKeyRing,
  type FoundApiKey,
} from './api-key-ring.ts';
export {
  type ApiKey,
  type ApiKeyCheck,
  createApiKey,
  createFirstApiKey,
  findApiKey,
  type KeyLimits,
  listApiKeys,
  type NewApiKey,
  revokeApiKey,
  rotateApiKey,
  type Scope,
} from './api-keys.ts';
export { type AttemptRow, readAttempts } from './attempts.ts';
export { type AuditEntry, deleteOldAudit, listAudit, recordAudit } from './audit-log.ts';
export {
  type Batch,
  type BatchCounts,
  batchIsWithin,
  cancelBatch,
  deleteEmptyBatches,
  findBatches,
  insertBatch,
  joinBatch,
} from './batches.ts';
export { type Catalog, type CatalogOptions, createCatalog } from './catalog.ts';
export { createVectorIndexSql, type VectorIndex } from './chunk-table.ts';
export {
  type ChunkRecord,
  chunkId,
  copyChunks,
  type DocumentChunks,
  findLiveChunkIds,
  keepChunks,
} from './chunks.ts';
export { decodeVector, encodeVector, type VectorStorage } from './codec/vector.ts';
export {
  bumpGeneration,
  type Collection,
  createCollection,
  type Distance,
  listCollections,
  type NewCollection,
} from './collections.ts';
export {
  type CollectionFigures,
  type IndexStatistics,
  readCollectionFigures,
  readServerStatistics,
  type ServerStatistics,
} from './database-statistics.ts';
export {
  buildMetadataIndex,
  type DeclaredIndex,
  declareMetadataIndexes,
  dropMetadataIndex,
  listMetadataIndexWork,
  type MetadataIndexWork,
} from './declared-indexes.ts';
export { deleteCollection, deleteDocument, deleteUpload } from './delete.ts';
export {
  countRemaining,
  type Deletion,
  type DeletionCounts,
  deleteOldDeletions,
  findDeletion,
} from './deletions.ts';
export { readTextChunks, type TextChunk } from './document-text.ts';
export {
  type Document,
  type DocumentChunk,
  type DocumentListing,
  findDocument,
  listDocumentChunks,
  listDocuments,
  updateDocument,
} from './documents.ts';
export { StoreError, type StoreErrorCode } from './errors.ts';
export { estimateMatches, type MatchEstimate } from './estimate-matches.ts';
export { explainStatement } from './explain-statement.ts';
export { deleteIdempotencyKeys, type KeyedRequest, takeIdempotencyKey } from './idempotency-keys.ts';
export { type IndexBuildRecord, recordIndexBuild } from './index-builds.ts';
export { releaseLease, takeLease } from './leases.ts';
export type { MetadataIndex, MetadataType } from './metadata-index.ts';
export { isMigrated, migrate } from './migrate.ts';
export type { Access } from './nearest-chunks.ts';
export { type Database, type DatabaseOptions, notablePoolEvents, openDatabase } from './open-database.ts';
export {
  drawVectors,
  nearestDistances,
  nearestVectors,
  type ProbeOptions,
} from './probe-index.ts';
export {
  forgetProcess,
  listProcesses,
  type ProcessIdentity,
  type RunningProcess,
  reportProcess,
} from './processes.ts';
export {
  goLive,
  type LiveVersion,
  lockForPublish,
  type PublishLock,
  recordStages,
  supersede,
} from './publish.ts';
export {
  findMeasurement,
  listUnmeasured,
  type Recall,
  type RecallAtEffort,
  type RecallMeasurement,
  recordMeasurement,
  type StoredMeasurement,
} from './recall-measurements.ts';
export {
  type ChunkHit,
  type ChunkQuery,
  explainSearch,
  type Neighbour,
  scoreOf,
  searchChunks,
} from './search-chunks.ts';
export { readSearchLatency, reportSearchLatency } from './search-latency.ts';
export {
  createServerFacts,
  readServerFacts,
  requireSupported,
  type ServerFacts,
  type ServerFactsReader,
} from './server-facts.ts';
export {
  deleteOrphanedChunks,
  findStagedChunks,
  moveStagedChunks,
  type StagedChunk,
  stageChunks,
} from './staged-chunks.ts';
export { type CollectionStatistics, collectionStatistics } from './statistics.ts';
export {
  cancelUpload,
  countFailedUploads,
  type FailedUploads,
  redriveUploads,
  retryUpload,
} from './steer-uploads.ts';
export {
  type Combination,
  type CompiledText,
  compileTextQuery,
} from './text-search/compile-text-query.ts';
export { fillWords } from './text-search/fill-words.ts';
export { languageOf } from './text-search/lexemes.ts';
export { parseTextQuery } from './text-search/parse-text-query.ts';
export {
  explainWords,
  type RankedChunkQuery,
  type RankedHit,
  searchWords,
} from './text-search/search-words.ts';
export {
  announceTextIndex,
  buildMissingWordsIndex,
  buildTextIndex,
  declareTextSearch,
  listTextWork,
  type TextWork,
} from './text-search/text-index.ts';
export type { TextIndex } from './text-search/text-index-sql.ts';
export {
  noStatistics,
  readWordStatistics,
  type WordStatistics,
} from './text-search/word-statistics.ts';
export { assignTurns, type Priority, type WaitingUpload } from './turns.ts';
export {
  countFailures,
  type FailureCount,
  readUploadFigures,
  type UploadFigures,
} from './upload-figures.ts';
export { insertPart, partBytes, readParts } from './upload-parts.ts';
export {
  type Claim,
  claimUpload,
  countUnfinished,
  countUploads,
  deleteAbandonedUploads,
  discardUploads,
  findLiveUploadId,
  findUploads,
  insertUpload,
  insertWholeUploads,
  listUploads,
  type NewUpload,
  type Progress,
  putOffUpload,
  type QuietUpload,
  recordFailure,
  recordProgress,
  releaseUpload,
  touchQuietUploads,
  type Upload,
  type UploadListing,
  type UploadProblem,
  type UploadStage,
  type UploadState,
} from './uploads.ts';
export {
  adoptDenserIndex,
  announceVectorIndex,
  countLiveChunks,
  type DeferredCollection,
  dropVectorIndex,
  type IndexState,
  listDeferredCollections,
  listSparseCollections,
  readIndexState,
  type SparseCollection,
} from './vector-index.ts';
export { countedUpTo, type PlaceInLine, placeInLine } from './waiting-line.ts';
export {
  claimDeliveries,
  deleteOldDeliveries,
  recordDelivery,
  type WebhookDelivery,
} from './webhook-deliveries.ts';
