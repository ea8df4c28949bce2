import type { ExtractionSummary } from '@sluice/extraction';
import type { Lane } from '@sluice/pool';
import {
  type ChunkRecord,
  type Claim,
  type Collection,
  claimUpload,
  findLiveUploadId,
  putOffUpload,
  recordFailure,
  releaseUpload,
  type Upload,
  type UploadProblem,
} from '@sluice/store';
import type { Attempt, AttemptOutcome, IngestionDependencies } from './attempt.ts';
import { IngestionError } from './errors.ts';
import { describeFailure, pauseAfter, UploadFailed } from './failure.ts';
import { inParallel } from './in-parallel.ts';
import { createProgressReporter } from './progress.ts';
import type { PublishOutcome } from './publish.ts';
import { spoolUpload } from './spool.ts';
import { type ChunkWindow, chunkWindows, extractUpload } from './steps/chunk.ts';
import { embedChunks } from './steps/embed.ts';
import { findKnown, stageWindow } from './steps/stage.ts';
import { createStopwatch } from './stopwatch.ts';

export interface IngestContext {
  /** Aborted when the job must stop: the worker drains, or it lost the job. */
  signal: AbortSignal;
  /** The queue will not deliver the job again if this attempt fails. */
  lastAttempt: boolean;
  /** If this attempt fails because it is too early, the queue delivers the job again without counting it. */
  mayPutOff: boolean;
  onProgress?: (done: number, total: number | null) => void;
  /** Told which upload it is, as soon as it is this attempt's. */
  onClaimed?(upload: Upload): void;
}

/** `nothing_to_do`: the upload was final or deleted before this attempt began. */
export type IngestOutcome = PublishOutcome | 'nothing_to_do';

// A file that kills its worker never gets to report; the count in the database ends that.
const maxLostAttempts = 20;
// From then on its attempts keep their distance, so that what only died with it gets on without it.
const suspectAfter = 3;
// More only wait for each other: texts of all windows share requests and writers.
const windowsAtOnce = 2;
// As often may other versions of the document come in between before the job goes back in line.
const rounds = 3;

/**
 * One attempt at making an upload searchable. Any number may run for the same upload, one after the other or at once: the
 * fence lets only the latest write. Throws `UploadFailed`, after the failure was recorded.
 */
export async function ingestUpload(
  dependencies: IngestionDependencies,
  uploadId: string,
  context: IngestContext,
): Promise<{ outcome: IngestOutcome; upload?: Upload }> {
  const db = dependencies.pool.lane('bulk');
  const claim = await claimUpload(db, uploadId);
  if (!claim) return { outcome: 'nothing_to_do' };
  const { upload, fence } = claim;
  context.onClaimed?.(upload);
  const lost = new AbortController();
  const stopwatch = createStopwatch();
  using progress = createProgressReporter(db, uploadId, fence, {
    channel: dependencies.progressChannel,
    intervalMs: dependencies.progressIntervalMs,
    onLost: () => lost.abort(),
    onProgress: ({ chunksDone, chunksTotal }) => context.onProgress?.(chunksDone, chunksTotal),
  });
  try {
    refuseSuspect(claim, context);
    const collection = await dependencies.collectionById(upload.collectionId);
    if (!collection) throw new IngestionError('collection_gone', 'the collection was deleted');
    refuseEarly(dependencies, claim, collection);
    const signal = AbortSignal.any([context.signal, lost.signal]);
    const attempt: Attempt = {
      ...claim,
      collection,
      signal,
      progress,
      stopwatch,
      lose: () => lost.abort(),
    };
    const outcome = await work(dependencies, db, attempt);
    report(outcome);
    return { outcome, upload };
  } catch (error) {
    if (lost.signal.aborted) {
      report('lost');
      return { outcome: 'lost', upload };
    }
    if (context.signal.aborted) {
      report('interrupted');
      await releaseUpload(db, uploadId, fence);
      throw error;
    }
    const problem = describeFailure(error, progress.stage);
    report(nextOf(problem, context, error), problem.code);
    throw await recordProblem(db, claim, context, problem, error);
  }

  function report(outcome: AttemptOutcome, code?: string): void {
    const { sizeBytes } = upload;
    dependencies.onAttempt?.({
      outcome,
      code,
      stageMs: stopwatch.read(),
      chunks: progress.done,
      bytes: sizeBytes,
    });
  }
}

/** What becomes of the upload after this failure. */
function nextOf(
  { retryable }: UploadProblem,
  { mayPutOff, lastAttempt }: IngestContext,
  cause: unknown,
): 'failed' | 'retried' | 'put_off' {
  if (mayPutOff && pauseAfter(cause) !== undefined) return 'put_off';
  return retryable && !lastAttempt ? 'retried' : 'failed';
}

/** Writes down why the attempt failed and whether there will be another one. Returns what the queue is told. */
async function recordProblem(
  db: Lane,
  { upload: { id }, fence, lostAttempts }: Claim,
  context: IngestContext,
  problem: UploadProblem,
  cause: unknown,
): Promise<UploadFailed> {
  const retryAfterMs = context.mayPutOff ? pauseAfter(cause) : undefined;
  const lostBefore = problem.code === 'worker_lost' ? lostAttempts - 1 : 0;
  const next = nextOf(problem, context, cause);
  if (next === 'put_off') await putOffUpload(db, id, fence, problem, lostBefore);
  else await recordFailure(db, id, fence, next === 'retried' ? 'queued' : 'failed', problem);
  return new UploadFailed(problem, { cause, retryAfterMs });
}

/** An upload whose workers have died is put off before each further attempt, and given up in the end. */
function refuseSuspect({ lostAttempts, lastProblem }: Claim, { mayPutOff }: IngestContext): void {
  if (lostAttempts > maxLostAttempts) {
    throw new IngestionError(
      'too_many_attempts',
      `gave up after ${maxLostAttempts} attempts that ended without an answer and without a step forward`,
    );
  }
  if (lostAttempts <= suspectAfter || lastProblem === 'worker_lost' || !mayPutOff) return;
  const died = `${lostAttempts - 1} workers in a row have died while they had this upload`;
  throw new IngestionError('worker_lost', `${died}; it is tried again after a pause`);
}

/** Nothing is fetched and extracted for a provider that is left alone, unless it may turn out that all vectors are there already. */
function refuseEarly(
  { embedders }: IngestionDependencies,
  { liveUploadId }: Claim,
  collection: Collection,
): void {
  const refusal = liveUploadId ? undefined : embedders.for(collection).refusal();
  if (refusal) throw refusal;
}

async function work(
  dependencies: IngestionDependencies,
  db: Lane,
  attempt: Attempt,
): Promise<PublishOutcome> {
  await using file = await spoolUpload(db, attempt.upload, attempt.signal);
  for (let round = 1; ; round += 1) {
    try {
      // Awaited here: a rejection while the file is being removed would be nobody's.
      return await workOnFile(dependencies, db, attempt, file.path);
    } catch (error) {
      if (round === rounds || !(error instanceof IngestionError && error.code === 'document_changed'))
        throw error;
      attempt.liveUploadId = await findLiveUploadId(db, attempt.upload.documentId);
      attempt.progress.set({ stage: 'extracting', chunksDone: 0, chunksTotal: null });
    }
  }
}

async function workOnFile(
  { embedders, extractor, publisher, windowChunks }: IngestionDependencies,
  db: Lane,
  attempt: Attempt,
  path: string,
): Promise<PublishOutcome> {
  const { progress, stopwatch } = attempt;
  const stop = new AbortController();
  const signal = AbortSignal.any([attempt.signal, stop.signal]);
  const inner: Attempt = { ...attempt, signal };
  const extraction = extractUpload(extractor, inner, path);
  let direct: ChunkRecord[] | undefined;

  async function takeWindow({ chunks, first, last }: ChunkWindow): Promise<void> {
    progress.set({ stage: 'embedding', ...(last && { chunksTotal: first + chunks.length }) });
    if (!last || first > 0) return stageWindow(db, embedders, inner, chunks);
    direct = await embedChunks(embedders, inner, chunks, await findKnown(db, inner, chunks));
  }

  const windows = chunkWindows(attempt.upload.documentId, extraction, windowChunks, stopwatch);
  await inParallel(windows, windowsAtOnce, takeWindow, () => stop.abort());
  attempt.signal.throwIfAborted();
  progress.set({ stage: 'publishing' });
  const published = publisher.publish(attempt.collection, {
    ...publicationOf(attempt, await extraction.summary),
    direct,
    onPiece: () => progress.set({}),
  });
  return stopwatch.measure('publishing', published);
}

function publicationOf(
  { upload, fence, liveUploadId, stopwatch }: Attempt,
  { characters, chunks, title }: ExtractionSummary,
) {
  return {
    uploadId: upload.id,
    documentId: upload.documentId,
    fence,
    liveUploadId,
    metadata: upload.metadata,
    summary: { characters, chunks, title },
    stageMs: stopwatch.read(),
    handedOverAt: performance.now(),
  };
}
