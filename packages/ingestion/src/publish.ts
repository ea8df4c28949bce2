import type { ExtractionSummary } from '@sluice/extraction';
import type { Lane } from '@sluice/pool';
import {
  bumpGeneration,
  type ChunkRecord,
  copyChunks,
  goLive,
  lockForPublish,
  moveStagedChunks,
  supersede,
} from '@sluice/store';
import type { Attempt } from './attempt.ts';
import { IngestionError } from './errors.ts';

/** `lost`: deleted, or another worker has it; nothing was written. */
export type PublishOutcome = 'ready' | 'superseded' | 'lost';

/**
 * ONE transaction makes the version live: the upload's row is locked and its fence checked, chunks are written, those
 * that are gone are dropped, the document switches over, the upload is final, the collection's generation goes up.
 * `direct`: all chunks of a document without a live version; undefined when they lie staged.
 */
export async function publish(
  db: Lane,
  { upload, collection, fence, liveUploadId }: Attempt,
  summary: Pick<ExtractionSummary, 'characters' | 'chunks' | 'title'>,
  direct: readonly ChunkRecord[] | undefined,
): Promise<PublishOutcome> {
  const document = { id: upload.documentId, metadata: upload.metadata };
  return db.transaction(async (transaction) => {
    const lock = await lockForPublish(transaction, upload.id, fence);
    if (!lock) return 'lost';
    if (lock.liveSequence > lock.sequence) {
      await supersede(transaction, upload.id);
      return 'superseded';
    }
    // Which chunks were left out as known depends on the version that was live when the attempt began.
    if (lock.liveUploadId !== liveUploadId) {
      throw new IngestionError(
        'document_changed',
        'another version of the document went live in the meantime',
      );
    }
    if (direct) await copyChunks(transaction, collection, document, direct);
    else await moveStagedChunks(transaction, collection, document, upload.id, fence);
    await goLive(transaction, { uploadId: upload.id, ...summary });
    await bumpGeneration(transaction, collection.id);
    return 'ready';
  });
}
