import type { JobsOptions, Queue } from 'bullmq';
import { QueueError } from './errors.ts';

export interface EnqueueOptions {
  /** One job of this id exists at a time. Not an integer, and without a colon. */
  jobId: string;
  /** Earliest start, in milliseconds from now. */
  delayMs?: number;
  /** 1 to 2 097 151; jobs without one run first, then smaller numbers before larger ones. */
  priority?: number;
  /** Of the trace that the job belongs to, by W3C Trace Context. Default: the one under way, where the producer is traced. */
  traceparent?: string | undefined;
}

export type JobState = 'waiting' | 'active' | 'delayed' | 'failed' | 'completed' | 'unknown';

export interface JobCounts {
  /** Ready to be taken, with and without a priority. */
  waiting: number;
  active: number;
  /** Waiting for their time: delayed on purpose, or between two attempts. */
  delayed: number;
  failed: number;
  completed: number;
}

export interface FailedJob {
  jobId: string;
  reason: string;
  attempts: number;
  failedAt: Date;
}

export interface NewJob {
  data: unknown;
  entry: EnqueueOptions;
}

/**
 * BullMQ ignores the addition of an id that it still knows, finished or not, so a finished job goes first. Two callers
 * at once may each remove what the other has added, but the last step of either is an addition: one job is left.
 */
export async function ensureQueued(queue: Queue, { data, entry }: NewJob): Promise<void> {
  await removeFinished(queue, entry.jobId);
  await queue.add(queue.name, data, bullMqOptionsOf(entry));
}

/** Returns how many had no job that waited or ran. */
export async function ensureAllQueued(queue: Queue, jobs: readonly NewJob[]): Promise<number> {
  const missing = await Promise.all(jobs.map(({ entry }) => removeFinished(queue, entry.jobId)));
  await queue.addBulk(
    jobs.map(({ data, entry }) => ({ name: queue.name, data, opts: bullMqOptionsOf(entry) })),
  );
  return missing.filter((absent) => absent).length;
}

/** Returns whether there is no job of this id then. */
async function removeFinished(queue: Queue, jobId: string): Promise<boolean> {
  const state = await queue.getJobState(jobId);
  const finished = state === 'completed' || state === 'failed';
  if (finished) await queue.remove(jobId);
  return finished || state === 'unknown';
}

/** BullMQ takes integers for ids that it gave itself, and a colon separates the parts of its keys. */
export function assertJobId(jobId: string): void {
  if (/^[^:]+$/u.test(jobId) && !/^\d+$/u.test(jobId)) return;
  throw new QueueError(
    'queue_invalid_option',
    `A job id is not an integer and has no colon, got "${jobId}"`,
    { jobId },
  );
}

function bullMqOptionsOf({ jobId, delayMs, priority, traceparent }: EnqueueOptions): JobsOptions {
  return {
    jobId,
    ...(delayMs === undefined ? {} : { delay: delayMs }),
    ...(priority === undefined ? {} : { priority }),
    ...(traceparent === undefined ? {} : { telemetry: { metadata: JSON.stringify({ traceparent }) } }),
  };
}

export async function removeIdle(queue: Queue, jobId: string): Promise<boolean> {
  // On Redis BullMQ counts the removal of what is not there as a success.
  if ((await queue.getJobState(jobId)) === 'unknown') return false;
  return (await queue.remove(jobId)) === 1;
}

export async function stateOf(queue: Queue, jobId: string): Promise<JobState> {
  const state = await queue.getJobState(jobId);
  if (state === 'prioritized' || state === 'waiting-children') return 'waiting';
  return state;
}

export async function countsOf(queue: Queue): Promise<JobCounts> {
  const c = await queue.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed', 'completed');
  const of = (state: string) => c[state] ?? 0;
  return {
    waiting: of('wait') + of('waiting') + of('prioritized'),
    active: of('active'),
    delayed: of('delayed'),
    failed: of('failed'),
    completed: of('completed'),
  };
}

export async function failedJobs(queue: Queue, limit: number): Promise<FailedJob[]> {
  const jobs = await queue.getFailed(0, limit - 1);
  return jobs.map((job) => ({
    jobId: job.id ?? '',
    reason: job.failedReason ?? '',
    attempts: job.attemptsMade,
    failedAt: new Date(job.finishedOn ?? job.timestamp),
  }));
}
