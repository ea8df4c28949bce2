import { type Job, UnrecoverableError, WaitingError } from 'bullmq';
import { QueueError, toError } from './errors.ts';
import { type JobDefinition, parsePayload } from './job-definition.ts';
import { askedPauseMs, putOffMs } from './put-off.ts';

/** Done and total in units of the caller's choice; Bull Board shows it. */
export interface JobProgress {
  done: number;
  total: number;
}

export interface JobContext {
  jobId: string;
  /** 1 for the first attempt. Jobs handed back, or taken over from a dead worker, keep their number. */
  attempt: number;
  /** Whether an error may still put the job off, see `JobHandler`. */
  mayPutOff: boolean;
  /** Aborted with a QueueError: `queue_draining`, `queue_lock_lost` or `queue_cancelled`. Stop soon, and throw. */
  signal: AbortSignal;
  reportProgress(progress: JobProgress): Promise<void>;
}

/**
 * Returns nothing: results belong to the database. An error with `retryable === false` ends the job at once. One with `retryAfterMs`
 * says that it was too early to try: while `mayPutOff`, the job comes back after that time or later, and the attempt does not count.
 */
export type JobHandler<P> = (payload: P, context: JobContext) => Promise<void>;

export interface RunSettings<P> {
  job: JobDefinition<P>;
  handler: JobHandler<P>;
  /** How long an aborted handler may take to stop before its job is given up regardless, in milliseconds. */
  abortGraceMs: number;
  /** Settles when jobs may start; pending while the consumer is paused. */
  mayStart(): Promise<void>;
  /** The handler begins, or says how far it is. */
  onProgress(): void;
  onHandedBack(jobId: string): void;
  onError(error: Error): void;
}

/** One delivery of a job: from the moment that BullMQ hands it over until it is finished, failed or handed back. */
export interface RunningJob {
  readonly jobId: string;
  /** Whether the handler has been called; not while the consumer is paused. */
  started(): boolean;
  abort(reason: QueueError): void;
  /** What to report to BullMQ: resolved is done, rejected is failed, a WaitingError means that it is settled. */
  readonly outcome: Promise<void>;
}

export function runJob<P>(delivery: Job, token: string | undefined, settings: RunSettings<P>): RunningJob {
  const controller = new AbortController();
  let started = false;
  const jobId = delivery.id ?? '';
  const { retry } = settings.job;
  const mayPutOff = Date.now() - delivery.timestamp < retry.putOffForMs;

  async function call(): Promise<void> {
    const payload = parsePayload(settings.job, delivery.data, jobId);
    await Promise.race([settings.mayStart(), aborted(controller.signal, 0)]);
    controller.signal.throwIfAborted();
    started = true;
    settings.onProgress();
    const handled = settings.handler(payload, {
      jobId,
      attempt: delivery.attemptsMade + 1,
      mayPutOff,
      signal: controller.signal,
      // A number less on a dashboard is no reason to fail a job.
      reportProgress({ done, total }) {
        settings.onProgress();
        return delivery.updateProgress({ done, total }).catch(settings.onError);
      },
    });
    await Promise.race([handled, aborted(controller.signal, settings.abortGraceMs)]);
  }

  async function run(): Promise<void> {
    try {
      await call();
    } catch (thrown) {
      const error = toError(thrown);
      const reason: unknown = controller.signal.reason;
      const code = reason instanceof QueueError ? reason.code : undefined;
      if (code === 'queue_lock_lost') throw settled('lock lost');
      if (code === 'queue_draining') {
        await leave(handBack);
        throw settled('handed back');
      }
      if (code === 'queue_cancelled' || isPermanent(error)) throw permanent(error);
      const askedMs = mayPutOff ? askedPauseMs(error) : undefined;
      if (askedMs === undefined) throw error;
      await leave(() => putOff(askedMs));
      throw settled('put off');
    }
  }

  async function handBack(): Promise<void> {
    await delivery.moveToWait(token);
    settings.onHandedBack(jobId);
  }

  async function putOff(askedMs: number): Promise<void> {
    await delivery.moveToDelayed(Date.now() + putOffMs(askedMs, delivery.attemptsStarted, retry), token);
  }

  async function leave(how: () => Promise<void>): Promise<void> {
    try {
      await how();
    } catch (error) {
      // The lock runs out and another worker finds the job stalled: later, but not lost.
      settings.onError(toError(error));
    }
  }

  return {
    jobId,
    started: () => started,
    abort: (reason) => controller.abort(reason),
    outcome: Promise.resolve().then(run),
  };
}

/** Tells BullMQ to leave the job alone. */
function settled(why: string): WaitingError {
  return new WaitingError(why);
}

function isPermanent(error: Error): boolean {
  return (error as { retryable?: unknown }).retryable === false;
}

function permanent(error: Error): UnrecoverableError {
  return Object.assign(new UnrecoverableError(error.message), { cause: error });
}

/** Rejects with the signal's reason, `afterMs` later. */
function aborted(signal: AbortSignal, afterMs: number): Promise<never> {
  const rejection = new Promise<never>((_, reject) => {
    const fire = () => setTimeout(() => reject(signal.reason), afterMs);
    if (signal.aborted) fire();
    else signal.addEventListener('abort', fire, { once: true });
  });
  rejection.catch(() => undefined);
  return rejection;
}
