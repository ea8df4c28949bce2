import { type Job, Worker } from 'bullmq';
import { type QueueBackend, SHARED_SESSION_POLL_MS } from './backend.ts';
import { openConnection } from './connection.ts';
import { type ConsumerOptions, type JobEvent, resolveConsumerOptions } from './consumer-options.ts';
import { withDeadline } from './deadline.ts';
import { QueueError, toError } from './errors.ts';
import { createGate } from './gate.ts';
import type { JobDefinition } from './job-definition.ts';
import { createTelemetry } from './quiet-telemetry.ts';
import { type JobHandler, type RunningJob, runJob } from './running-job.ts';

export type ConsumerState = 'idle' | 'running' | 'paused' | 'draining' | 'closed';

export interface ConsumerStatus {
  state: ConsumerState;
  /** When it came into this state. */
  since: Date;
  /** Jobs in the hands of this consumer now. */
  active: number;
  /** When a job last started, reported progress or ended here; null before the first. */
  progressAt: Date | null;
  /** Those in hand, and when each last moved on. */
  jobs: readonly JobInHand[];
}

export interface JobInHand {
  jobId: string;
  startedAt: Date;
  progressAt: Date;
}

export interface DrainOutcome {
  /** Jobs that were running when draining began and that ended by themselves. */
  finished: number;
  /** Jobs that were put back into the queue for another worker. */
  handedBack: number;
}

/**
 * Takes jobs of one kind. idle -> running <-> paused -> draining -> closed; never back from draining.
 * It connects and reconnects by itself, however long the backend is away.
 */
export interface Consumer extends AsyncDisposable {
  /** Begins to take jobs, as soon as the backend answers. Does not wait for it. */
  start(): void;
  /** No handler starts from now on; running ones go on. For back-pressure. */
  pause(): void;
  resume(): void;
  /** Aborts the signal of a job that runs here. If its handler throws then, the job fails without further attempts. */
  cancel(jobId: string): boolean;
  /**
   * Takes no more jobs, lets running ones end until `drainTimeoutMs` has passed, then aborts them and puts them back into
   * the queue, without counting the attempt. Ends closed.
   */
  drain(): Promise<DrainOutcome>;
  /** The same as `drain` with a deadline of 0. */
  close(): Promise<void>;
  status(): ConsumerStatus;
}

/** Time for the last commands to the backend when closing, beyond what the jobs may take. */
const CLOSE_GRACE_MS = 3_000;
const FETCH_RETRY_MS = 1_000;
const BLOCK_SECONDS = 5;
const STALLED_TOO_OFTEN = 'job stalled more than allowable limit';

export function createConsumer<P>(
  backend: QueueBackend,
  job: JobDefinition<P>,
  handler: JobHandler<P>,
  options: ConsumerOptions = {},
): Consumer {
  const settings = resolveConsumerOptions(options);
  const { hooks } = settings;
  const running = new Map<string, RunningJob>();
  const gate = createGate();
  let state: ConsumerState = 'idle';
  let since = new Date();
  const inHand = new Map<RunningJob, JobInHand>();
  let progressAt: Date | null = null;
  let handedBack = 0;
  let drained: Promise<DrainOutcome> | undefined;

  const onError = (error: Error) => hooks.onError?.(error);
  const connection = openConnection(backend, { name: 'sluice-consumer', migrate: false, onError });
  const worker = new Worker(
    job.name,
    deliver,
    {
      connection: connection.connection,
      ...(connection.prefix === undefined ? {} : { prefix: connection.prefix }),
      autorun: false,
      concurrency: settings.concurrency,
      lockDuration: settings.lockDurationMs,
      stalledInterval: settings.stalledIntervalMs,
      maxStalledCount: settings.maxStalledCount,
      runRetryDelay: FETCH_RETRY_MS,
      ...(settings.traced && { telemetry: createTelemetry() }),
      drainDelay: polls(backend) ? SHARED_SESSION_POLL_MS / 1_000 : BLOCK_SECONDS,
    },
    connection.factory,
  );

  worker.on('error', onError);
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const jobId of jobIds) running.get(jobId)?.abort(abortReason('queue_lock_lost', jobId));
  });
  worker.on('stalled', (jobId) => hooks.onStalled?.({ jobId }));
  worker.on('completed', (delivery) => {
    hooks.onCompleted?.({ ...eventOf(delivery), durationMs: durationOf(delivery) });
  });
  worker.on('failed', (delivery, error) => {
    if (delivery) hooks.onFailed?.({ ...eventOf(delivery), error: causeOf(error), final: isFinal(delivery) });
  });

  async function deliver(delivery: Job, token?: string): Promise<void> {
    const run = runJob(delivery, token, {
      job,
      handler,
      abortGraceMs: settings.abortGraceMs,
      mayStart: gate.passed,
      onProgress: () => movedOn(run),
      onHandedBack(jobId) {
        handedBack += 1;
        hooks.onHandedBack?.({ jobId });
      },
      onError,
    });
    running.set(run.jobId, run);
    progressAt = new Date();
    inHand.set(run, { jobId: run.jobId, startedAt: progressAt, progressAt });
    // The fetch that was under way when draining began may still bring a job.
    if (state === 'draining' || state === 'closed') run.abort(abortReason('queue_draining', run.jobId));
    try {
      await run.outcome;
    } finally {
      if (running.get(run.jobId) === run) running.delete(run.jobId);
      inHand.delete(run);
      progressAt = new Date();
    }
  }

  function movedOn(run: RunningJob): void {
    const job = inHand.get(run);
    // What an abandoned handler still reports is nobody's progress.
    if (!job) return;
    progressAt = new Date();
    job.progressAt = progressAt;
  }

  function become(next: ConsumerState): void {
    state = next;
    since = new Date();
  }

  function abortReason(
    code: 'queue_draining' | 'queue_lock_lost' | 'queue_cancelled',
    jobId: string,
  ): QueueError {
    return new QueueError(code, `Job ${job.name} ${jobId} aborted: ${code}`, { job: job.name, jobId });
  }

  function drainWithin(timeoutMs: number): Promise<DrainOutcome> {
    drained ??= drainNow(timeoutMs);
    return drained;
  }

  async function drainNow(timeoutMs: number): Promise<DrainOutcome> {
    become('draining');
    const before = running.size;
    for (const run of running.values()) {
      if (!run.started()) run.abort(abortReason('queue_draining', run.jobId));
    }
    const deadline = setTimeout(() => {
      become('closed');
      for (const run of running.values()) run.abort(abortReason('queue_draining', run.jobId));
    }, timeoutMs);
    // BullMQ stops fetching at once, and waits for the jobs in hand.
    const limitMs = timeoutMs + settings.abortGraceMs + CLOSE_GRACE_MS;
    await withDeadline(worker.close(), limitMs, `Close ${job.name}`).catch(onError);
    clearTimeout(deadline);
    become('closed');
    await connection.close();
    return { finished: Math.max(before - handedBack, 0), handedBack };
  }

  const consumer: Consumer = {
    start() {
      if (state !== 'idle')
        throw new QueueError('queue_closed', `The consumer is ${state}`, { job: job.name });
      become('running');
      worker.run().catch((error: unknown) => onError(toError(error)));
    },
    pause() {
      if (state !== 'running') return;
      become('paused');
      gate.shut();
      worker.pause(true).catch(onError);
    },
    resume() {
      if (state !== 'paused') return;
      become('running');
      gate.open();
      worker.resume().catch(onError);
    },
    cancel(jobId) {
      const run = running.get(jobId);
      run?.abort(abortReason('queue_cancelled', jobId));
      return run !== undefined;
    },
    drain: () => drainWithin(settings.drainTimeoutMs),
    async close() {
      await drainWithin(0);
    },
    status() {
      const jobs = [...inHand.values()].map((job) => ({ ...job }));
      return { state, since, active: running.size, progressAt, jobs };
    },
    [Symbol.asyncDispose]: () => consumer.close(),
  };
  return consumer;
}

function polls(backend: QueueBackend): boolean {
  return backend.kind === 'postgres' && backend.sharedSession === true;
}

function eventOf(delivery: Job): JobEvent {
  return { jobId: delivery.id ?? '', attempt: delivery.attemptsMade };
}

function durationOf(delivery: Job): number {
  return Math.max((delivery.finishedOn ?? 0) - (delivery.processedOn ?? 0), 0);
}

/** BullMQ stamps only jobs that it has moved to the failed set. */
function isFinal(delivery: Job): boolean {
  return delivery.finishedOn !== undefined;
}

/** The handler's own error, without the wrapping that tells BullMQ not to try again. */
function causeOf(error: Error): Error {
  if (error.message === STALLED_TOO_OFTEN)
    return new QueueError('queue_stalled', error.message, { cause: error });
  return error.cause instanceof Error && error.name === 'UnrecoverableError' ? error.cause : error;
}
