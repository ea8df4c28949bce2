import { setTimeout as sleep } from 'node:timers/promises';
import type { ReceiptBody } from '@sluice/contract';
import { ingestUploadJob, type Producer } from '@sluice/queue';
import { type Catalog, countRemaining, type Deletion, type DeletionCounts } from '@sluice/store';
import type { Services } from './services.ts';

type Remaining = ReceiptBody['remaining'];

// A worker hears of a deletion within about a second and lets go of the job.
const settleMs = 2_000;
const lookMs = 50;
// So many jobs as take longer than this to be asked about are not counted.
const queueMs = 5_000;
const atOnce = 25;

const reasons: Record<keyof Remaining, string> = {
  documents: 'the row is there again: it was restored from outside of Sluice',
  uploads: 'the row is there again: it was restored from outside of Sluice',
  chunks: 'rows without their document: they were restored from outside of Sluice',
  staged_chunks: 'rows without their upload: they were restored from outside of Sluice',
  parts: 'rows without their upload: they were restored from outside of Sluice',
  jobs: 'a worker still holds the job or the queue does; it can publish nothing, since its upload is gone, and ends when it notices',
  cache_entries: 'this replica has not heard of the deletion yet',
};

function presentCounts({ stagedChunks, ...counts }: DeletionCounts) {
  return { ...counts, staged_chunks: stagedChunks };
}

/** Asks for `each` of the ids, a few at once; throws when the deadline has passed. */
async function overIds<T>(
  ids: readonly string[],
  deadline: number,
  ask: (id: string) => Promise<T>,
): Promise<T[]> {
  const answers: T[] = [];
  for (let start = 0; start < ids.length; start += atOnce) {
    if (performance.now() > deadline) throw new Error(`${ids.length} jobs are too many to be asked about`);
    answers.push(...(await Promise.all(ids.slice(start, start + atOnce).map(ask))));
  }
  return answers;
}

async function unfinishedJobs(
  producer: Producer,
  ids: readonly string[],
  deadline: number,
): Promise<string[]> {
  const states = await overIds(ids, deadline, (id) => producer.state(ingestUploadJob, id));
  return ids.filter((_, i) => ['waiting', 'active', 'delayed'].includes(states[i] as string));
}

/** Takes the jobs out of the queue and gives those that workers hold time to end. Returns how many have not. */
async function removeJobs(producer: Producer, ids: readonly string[]): Promise<number> {
  const start = performance.now();
  await overIds(ids, start + queueMs, (id) => producer.remove(ingestUploadJob, id));
  let left = ids;
  for (;;) {
    left = await unfinishedJobs(producer, left, start + queueMs);
    if (left.length === 0 || performance.now() - start > settleMs) return left.length;
    await sleep(lookMs);
  }
}

/**
 * Answers are cached under the generation of their collection. Those from before the deletion can be given only by who has not
 * heard of the new one.
 */
async function servableAnswers(catalog: Catalog, { collectionId, generation }: Deletion): Promise<0 | null> {
  const collection = await catalog.byId(collectionId);
  return !collection || collection.generation >= generation ? 0 : null;
}

async function countJobs(producer: Producer, { uploadIds }: Deletion): Promise<number> {
  return (await unfinishedJobs(producer, uploadIds, performance.now() + queueMs)).length;
}

/** Counts what is left of a deletion, now. `jobs`: null when the queue does not tell. */
export async function measureReceipt(
  services: Services,
  deletion: Deletion,
  jobs?: number | null,
): Promise<ReceiptBody> {
  const { pool, catalog, producer } = services;
  const [rows, unfinished, answers] = await Promise.all([
    countRemaining(pool.lane('interactive'), deletion),
    jobs === undefined ? countJobs(producer, deletion).catch(() => null) : jobs,
    servableAnswers(catalog, deletion).catch(() => null),
  ]);
  const remaining: Remaining = { ...presentCounts(rows), jobs: unfinished, cache_entries: answers };
  const left = (Object.keys(remaining) as (keyof Remaining)[]).filter((of) => remaining[of] !== 0);
  return {
    id: deletion.id,
    receipt_url: `/v1/receipts/${deletion.id}`,
    kind: deletion.kind,
    target: deletion.target,
    deleted_at: deletion.deletedAt.toISOString(),
    deleted: presentCounts(deletion.deleted),
    remaining,
    measured_at: new Date().toISOString(),
    complete: left.length === 0,
    reasons: left.map((of) => ({ of, reason: reasonOf(of, remaining[of]) })),
  };
}

function reasonOf(of: keyof Remaining, count: number | null): string {
  return of === 'jobs' && count === null
    ? 'the queue did not tell in time; a job that it still has finds its upload gone and ends'
    : reasons[of];
}

/** After the commit: has those hear of it who work on what was deleted, and counts what is left. */
export async function settleDeletion(services: Services, deletion: Deletion): Promise<ReceiptBody> {
  const { catalog, producer, progress, log } = services;
  const failed = (error: unknown) => {
    log.warn({ receipt: deletion.id, err: error }, 'deletion not settled');
    return null;
  };
  void progress.announceChange(deletion.uploadIds);
  const [jobs] = await Promise.all([
    removeJobs(producer, deletion.uploadIds).catch(failed),
    catalog.refresh().catch(failed),
  ]);
  return measureReceipt(services, deletion, jobs);
}
