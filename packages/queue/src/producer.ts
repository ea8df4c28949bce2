import { Queue } from 'bullmq';
import type { QueueBackend } from './backend.ts';
import { openConnection } from './connection.ts';
import { withDeadline } from './deadline.ts';
import { QueueError, toError } from './errors.ts';
import { bullMqJobOptions, type JobDefinition, parsePayload } from './job-definition.ts';
import { ingestUploadJob } from './jobs/ingest-upload.ts';
import {
  assertJobId,
  countsOf,
  type EnqueueOptions,
  ensureAllQueued,
  ensureQueued,
  type FailedJob,
  failedJobs,
  type JobCounts,
  type JobState,
  removeIdle,
  stateOf,
} from './queue-operations.ts';
import { createTelemetry } from './quiet-telemetry.ts';

export interface ProducerOptions {
  /** The queues that exist. Default: every job of this package. */
  jobs?: readonly JobDefinition<unknown>[];
  /** Longest wait for an answer of the backend, in milliseconds, for each call. Default 5 000. */
  commandTimeoutMs?: number;
  /** Hears connection errors; calls report their own failures by throwing. */
  onError?(error: Error): void;
  /** Whether adding a job is a span of the trace under way, which the job takes along. Default false. */
  traced?: boolean;
}

export interface Producer extends AsyncDisposable {
  /**
   * Makes sure that a job of this id will run. Nothing happens while one is waiting, delayed or active; one that is
   * finished or failed is replaced by a fresh one. Throws `queue_invalid_payload` and `queue_unavailable`; after
   * the latter the job may exist or not, and enqueuing it again is safe.
   */
  enqueue<P>(job: JobDefinition<P>, payload: P, options: EnqueueOptions): Promise<void>;
  /** The same for many. Returns how many of them had no job that waited or ran. */
  enqueueMany<P>(
    job: JobDefinition<P>,
    entries: readonly (EnqueueOptions & { payload: P })[],
  ): Promise<number>;
  /** Takes a job that is not running out of the queue. False when there is none or a worker holds it. */
  remove<P>(job: JobDefinition<P>, jobId: string): Promise<boolean>;
  state<P>(job: JobDefinition<P>, jobId: string): Promise<JobState>;
  counts<P>(job: JobDefinition<P>): Promise<JobCounts>;
  /** The dead letters, newest first. Enqueue one again to redrive it. */
  failed<P>(job: JobDefinition<P>, limit: number): Promise<FailedJob[]>;
  /** Throws `queue_unavailable` unless the backend answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const DEFAULT_COMMAND_TIMEOUT_MS = 5_000;
const MANY = 25;
const queuesOf = new WeakMap<Producer, readonly Queue[]>();

export function createProducer(backend: QueueBackend, options: ProducerOptions = {}): Producer {
  const timeoutMs = options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
  const onError = (error: Error) => options.onError?.(error);
  const jobs = options.jobs ?? [ingestUploadJob];
  const connection = openConnection(backend, { name: 'sluice-producer', migrate: false, onError });
  const queues = new Map(jobs.map((job) => [job.name, openQueue(job)]));
  let closing: Promise<void> | undefined;

  function openQueue(job: JobDefinition<unknown>): Queue {
    const queue = new Queue(
      job.name,
      {
        connection: connection.connection,
        ...(connection.prefix === undefined ? {} : { prefix: connection.prefix }),
        defaultJobOptions: bullMqJobOptions(job),
        ...(options.traced && { telemetry: createTelemetry() }),
      },
      connection.factory,
    );
    queue.on('error', onError);
    return queue;
  }

  async function call<P, T>(
    job: JobDefinition<P>,
    what: string,
    work: (queue: Queue) => Promise<T>,
  ): Promise<T> {
    if (closing) throw new QueueError('queue_closed', 'The producer is closed', { job: job.name });
    const queue = queues.get(job.name);
    if (!queue) throw new QueueError('queue_invalid_option', `Unknown job ${job.name}`, { job: job.name });
    const details = { job: job.name };
    const label = `${what} ${job.name}`;
    const deadline = performance.now() + timeoutMs;
    try {
      // A command that is sent while Redis is away would be kept and run long after its caller has given up.
      await withDeadline(connection.ready(), timeoutMs, label, details);
      return await withDeadline(work(queue), deadline - performance.now(), label, details);
    } catch (error) {
      if (error instanceof QueueError) throw error;
      const cause = toError(error);
      throw new QueueError('queue_unavailable', `${label}: ${cause.message}`, {
        ...details,
        cause,
      });
    }
  }

  const producer: Producer = {
    async enqueue(job, payload, entry) {
      const data = checked(job, payload, entry.jobId);
      await call(job, 'Enqueue', (queue) => ensureQueued(queue, { data, entry }));
    },
    async enqueueMany(job, entries) {
      const parsed = entries.map((entry) => ({ entry, data: checked(job, entry.payload, entry.jobId) }));
      let missing = 0;
      for (let start = 0; start < parsed.length; start += MANY) {
        const window = parsed.slice(start, start + MANY);
        missing += await call(job, 'Enqueue', (queue) => ensureAllQueued(queue, window));
      }
      return missing;
    },
    remove: (job, jobId) => call(job, 'Remove', (queue) => removeIdle(queue, jobId)),
    state: (job, jobId) => call(job, 'State of', (queue) => stateOf(queue, jobId)),
    counts: (job) => call(job, 'Counts of', countsOf),
    failed: (job, limit) => call(job, 'Failed jobs of', (queue) => failedJobs(queue, limit)),
    async ping() {
      const [job] = jobs;
      if (job) await call(job, 'Ping', (queue) => queue.getJobCounts('active'));
    },
    close() {
      closing ??= closeAll();
      return closing;
    },
    [Symbol.asyncDispose]: () => producer.close(),
  };

  async function closeAll(): Promise<void> {
    const closed = Promise.allSettled([...queues.values()].map((queue) => queue.close()));
    await withDeadline(closed, timeoutMs, 'Close').catch(onError);
    await connection.close();
  }

  queuesOf.set(producer, [...queues.values()]);
  return producer;
}

/** The BullMQ queues behind a producer, for Bull Board's adapters. They close with the producer. */
export function bullMqQueues(producer: Producer): Queue[] {
  return [...(queuesOf.get(producer) ?? [])];
}

function checked<P>(job: JobDefinition<P>, payload: P, jobId: string): P {
  assertJobId(jobId);
  return parsePayload(job, payload, jobId);
}
