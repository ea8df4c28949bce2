import type { ChunkBody, CollectionBody, DocumentBody, UploadBody } from '@sluice/contract';
import type { Collection, CollectionStatistics, Document, DocumentChunk, Upload } from '@sluice/store';
import { jobUrl } from './dashboard-links.ts';

const iso = (date: Date | null) => date?.toISOString() ?? null;
const between = (from: Date | null, to: Date | null) =>
  from && to ? Math.max(0, to.getTime() - from.getTime()) : null;

export function presentUpload(upload: Upload): UploadBody {
  return {
    id: upload.id,
    status_url: `/v1/uploads/${upload.id}`,
    events_url: `/v1/uploads/${upload.id}/events`,
    job_url: jobUrl(upload.id),
    state: upload.state as UploadBody['state'],
    stage: upload.stage as UploadBody['stage'],
    progress: { done: upload.chunksDone, total: upload.chunksTotal },
    attempts: upload.attempts,
    batch_id: upload.batchId,
    error: upload.error,
    unchanged: upload.unchanged,
    collection: upload.collectionName,
    document_id: upload.documentId,
    external_id: upload.externalId,
    name: upload.fileName,
    format: upload.format,
    size_bytes: upload.sizeBytes,
    priority: upload.priority,
    sha256: upload.contentHash,
    metadata: upload.metadata,
    timings: {
      accepted_at: upload.createdAt.toISOString(),
      started_at: iso(upload.startedAt),
      finished_at: iso(upload.finishedAt),
      waited_ms: between(upload.createdAt, upload.startedAt),
      processed_ms: between(upload.startedAt, upload.finishedAt),
      stages_ms: upload.stageMs,
    },
  };
}

export const finalStates: ReadonlySet<string> = new Set(['ready', 'failed', 'superseded', 'cancelled']);

export function presentDocument(document: Document): DocumentBody {
  return {
    id: document.id,
    collection: document.collectionName,
    external_id: document.externalId,
    name: document.name,
    title: document.title,
    format: document.format,
    metadata: document.metadata,
    chunks: document.chunks,
    characters: document.characters,
    upload_id: document.liveUploadId,
    created_at: document.createdAt.toISOString(),
    updated_at: document.updatedAt.toISOString(),
  };
}

export function presentChunk(chunk: DocumentChunk): ChunkBody {
  const { id, ordinal, text, tokens, page } = chunk;
  return {
    id,
    ordinal,
    text,
    tokens,
    page,
    heading_path: chunk.headingPath,
    char_start: chunk.charStart,
    char_end: chunk.charEnd,
  };
}

export function presentCollection(collection: Collection, statistics?: CollectionStatistics): CollectionBody {
  return {
    name: collection.name,
    embedding: {
      provider: collection.embeddingProvider,
      model: collection.embeddingModel,
      dimensions: collection.dimensions,
    },
    distance: collection.distance,
    storage: collection.storage,
    chunking: { max_tokens: collection.chunkMaxTokens, overlap_tokens: collection.chunkOverlapTokens },
    language: collection.language,
    vector_index: collection.vectorIndex,
    text_index: collection.textIndex,
    metadata_indexes: collection.metadataIndexes.map(({ field, type, ready }) => {
      return { field, type, state: ready ? 'ready' : 'building' };
    }),
    ...(statistics && {
      statistics: {
        documents: statistics.documents,
        chunks: statistics.chunks,
        characters: statistics.characters,
        uploads_pending: statistics.uploadsPending,
        bytes: statistics.bytes,
      },
    }),
    created_at: collection.createdAt.toISOString(),
  };
}
