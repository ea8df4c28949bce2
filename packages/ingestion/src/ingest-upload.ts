import type { Lane } from '@sluice/pool';
import {
  claimUpload,
  deleteStagedChunks,
  recordFailure,
  releaseUpload,
  stageChunks,
  type Upload,
} from '@sluice/store';
import type { Attempt, IngestionDependencies } from './attempt.ts';
import { IngestionError } from './errors.ts';
import { describeFailure, UploadFailed } from './failure.ts';
import { createProgressReporter } from './progress.ts';
import { type PublishOutcome, publish } from './publish.ts';
import { spoolUpload } from './spool.ts';
import { chunkWindows, extractUpload } from './steps/chunk.ts';
import { embedChunks } from './steps/embed.ts';

export interface IngestContext {
  /** Aborted when the job must stop: the worker drains, or it lost the job. */
  signal: AbortSignal;
  /** The queue will not deliver the job again if this attempt fails. */
  lastAttempt: boolean;
  onProgress?: (done: number, total: number | null) => void;
}

/** `nothing_to_do`: the upload was final or deleted before this attempt began. */
export type IngestOutcome = PublishOutcome | 'nothing_to_do';

// A file that kills its worker never gets to report; the count in the database ends that.
const maxAttempts = 20;
const progressIntervalMs = 500;

/**
 * One attempt at making an upload searchable. Any number may run for the same upload, one after the other or at once: the
 * fence lets only the latest publish. Throws `UploadFailed`, after the failure was recorded.
 */
export async function ingestUpload(
  dependencies: IngestionDependencies,
  uploadId: string,
  context: IngestContext,
): Promise<{ outcome: IngestOutcome; upload?: Upload }> {
  const db = dependencies.pool.lane('bulk');
  const claim = await db.transaction((transaction) => claimUpload(transaction, uploadId));
  if (!claim) return { outcome: 'nothing_to_do' };
  const { upload, fence } = claim;
  const lost = new AbortController();
  using progress = createProgressReporter(db, uploadId, fence, {
    intervalMs: dependencies.progressIntervalMs ?? progressIntervalMs,
    onLost: () => lost.abort(),
    onProgress: ({ chunksDone, chunksTotal }) => context.onProgress?.(chunksDone, chunksTotal),
  });
  try {
    if (upload.attempts > maxAttempts) {
      throw new IngestionError(
        'too_many_attempts',
        `gave up after ${maxAttempts} attempts that ended without an answer`,
      );
    }
    const collection = await dependencies.collectionById(upload.collectionId);
    if (!collection) throw new IngestionError('collection_gone', 'the collection was deleted');
    const signal = AbortSignal.any([context.signal, lost.signal]);
    const attempt: Attempt = { ...claim, collection, signal, progress };
    return { outcome: await work(dependencies, db, attempt), upload };
  } catch (error) {
    if (lost.signal.aborted) return { outcome: 'lost', upload };
    if (context.signal.aborted) {
      await releaseUpload(db, uploadId, fence);
      throw error;
    }
    const problem = describeFailure(error, progress.stage);
    const final = !problem.retryable || context.lastAttempt;
    await recordFailure(db, uploadId, fence, final ? 'failed' : 'queued', problem);
    throw new UploadFailed(problem, { cause: error });
  }
}

async function work(
  { embedders, extractor, windowChunks }: IngestionDependencies,
  db: Lane,
  attempt: Attempt,
): Promise<PublishOutcome> {
  const { upload, fence, progress, signal } = attempt;
  await deleteStagedChunks(db, upload.id, fence);
  await using file = await spoolUpload(db, upload.id, signal);
  const extraction = extractUpload(extractor, attempt, file.path);
  let staged = 0;
  for await (const { chunks, last } of chunkWindows(upload.documentId, extraction, windowChunks)) {
    progress.set({ stage: 'embedding', ...(last && { chunksTotal: staged + chunks.length }) });
    const records = await embedChunks(db, embedders, attempt, chunks);
    if (last && staged === 0 && !attempt.liveUploadId) {
      progress.set({ stage: 'publishing' });
      // Awaited here: a rejection while the file is being removed would be nobody's.
      return await publish(db, attempt, await extraction.summary, records);
    }
    await db.session((lease) => stageChunks(lease, upload.id, fence, records));
    staged += records.length;
    signal.throwIfAborted();
  }
  progress.set({ stage: 'publishing' });
  return await publish(db, attempt, await extraction.summary, undefined);
}
