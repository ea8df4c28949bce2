import { QueueError } from './errors.ts';

export interface ConsumerOptions {
  /** Jobs at the same time in this consumer. Default 4. */
  concurrency?: number;
  /**
   * A job whose worker has not renewed its lock for this long counts as stalled, in milliseconds. Renewed at half
   * of it. Shorter finds dead workers sooner, and takes jobs from workers whose event loop is blocked. Default 30 000.
   */
  lockDurationMs?: number;
  /** How often stalled jobs are looked for, in milliseconds. Default 15 000. */
  stalledIntervalMs?: number;
  /** How often a job may lose its worker before it fails for good; a file that kills every worker ends there. Default 5. */
  maxStalledCount?: number;
  /** How long `drain` waits for running jobs before it aborts them, in milliseconds. Default 25 000. */
  drainTimeoutMs?: number;
  /** How long an aborted handler may take to stop, in milliseconds. Default 2 000. */
  abortGraceMs?: number;
  /** Whether each delivery is a span, in the trace of whoever added the job. Default false. */
  traced?: boolean;
  hooks?: ConsumerHooks;
}

export interface JobEvent {
  jobId: string;
  attempt: number;
}

/** Called beside the work; what they throw goes to `onError`. */
export interface ConsumerHooks {
  onCompleted?(event: JobEvent & { durationMs: number }): void;
  /** After a failed attempt. `final` says that there will be no other; then the job lies in the dead-letter list. */
  onFailed?(event: JobEvent & { error: Error; final: boolean }): void;
  /** A job whose worker died was put back into the queue by this consumer. */
  onStalled?(event: { jobId: string }): void;
  onHandedBack?(event: { jobId: string }): void;
  /** Errors of connections and of the queue itself, never of a handler. */
  onError?(error: Error): void;
}

export type ResolvedConsumerOptions = Required<Omit<ConsumerOptions, 'hooks'>> & { hooks: ConsumerHooks };

export function resolveConsumerOptions(options: ConsumerOptions): ResolvedConsumerOptions {
  const resolved: ResolvedConsumerOptions = {
    concurrency: options.concurrency ?? 4,
    lockDurationMs: options.lockDurationMs ?? 30_000,
    stalledIntervalMs: options.stalledIntervalMs ?? 15_000,
    maxStalledCount: options.maxStalledCount ?? 5,
    drainTimeoutMs: options.drainTimeoutMs ?? 25_000,
    abortGraceMs: options.abortGraceMs ?? 2_000,
    traced: options.traced ?? false,
    hooks: options.hooks ?? {},
  };
  atLeast('concurrency', resolved.concurrency, 1);
  atLeast('lockDurationMs', resolved.lockDurationMs, 100);
  atLeast('stalledIntervalMs', resolved.stalledIntervalMs, 100);
  atLeast('maxStalledCount', resolved.maxStalledCount, 0);
  atLeast('drainTimeoutMs', resolved.drainTimeoutMs, 0);
  atLeast('abortGraceMs', resolved.abortGraceMs, 0);
  return resolved;
}

function atLeast(option: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new QueueError(
    'queue_invalid_option',
    `${option} must be an integer of at least ${least}, got ${value}`,
  );
}
