import { IngestionError } from './errors.ts';

/** Most uploads of one batch. */
export const maxBatchUploads = 2_000;

/** Throws `IngestionError` (`batch_not_found`, `batch_cancelled`, `batch_full`) unless the batch takes as many more uploads. */
export function requireRoomInBatch(
  id: string,
  batch: { cancelled: boolean; uploads: number } | undefined,
  given: number,
): void {
  if (!batch) {
    const message = `no batch has the id "${id}"; create one with POST /v1/batches`;
    throw new IngestionError('batch_not_found', message, { id });
  }
  if (batch.cancelled) {
    throw new IngestionError('batch_cancelled', 'the batch was cancelled: create another one', { id });
  }
  const { uploads } = batch;
  if (uploads + given <= maxBatchUploads) return;
  const message = `a batch has at most ${maxBatchUploads} uploads; this one has ${uploads} already: create another one for the rest`;
  throw new IngestionError('batch_full', message, { id, limit: maxBatchUploads, uploads, given });
}
