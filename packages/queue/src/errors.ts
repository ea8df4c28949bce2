/**
 * - `queue_unavailable`: Redis or Postgres did not answer within the deadline.
 * - `queue_closed`: the producer or consumer has been closed.
 * - `queue_invalid_payload`: the payload does not fit the job's schema.
 * - `queue_invalid_option`: an option or a backend setting is out of range.
 * - `queue_draining`: reason of a job's abort signal: its consumer shuts down, the job goes back to the queue.
 * - `queue_lock_lost`: reason of a job's abort signal: the lock could not be renewed, another worker may run the job.
 * - `queue_cancelled`: reason of a job's abort signal: `Consumer.cancel` was called for it.
 * - `queue_stalled`: the job's workers died more often than `maxStalledCount` allows.
 */
export type QueueErrorCode =
  | 'queue_unavailable'
  | 'queue_closed'
  | 'queue_invalid_payload'
  | 'queue_invalid_option'
  | 'queue_draining'
  | 'queue_lock_lost'
  | 'queue_cancelled'
  | 'queue_stalled';

export interface QueueErrorDetails {
  /** Name of the job definition concerned. */
  job?: string;
  jobId?: string;
  cause?: unknown;
}

export class QueueError extends Error {
  override readonly name = 'QueueError';
  readonly code: QueueErrorCode;
  readonly job: string | undefined;
  readonly jobId: string | undefined;

  constructor(code: QueueErrorCode, message: string, details: QueueErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.job = details.job;
    this.jobId = details.jobId;
  }

  /** Whether the same call may succeed later without a change. */
  get retryable(): boolean {
    return this.code !== 'queue_invalid_payload' && this.code !== 'queue_invalid_option';
  }
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
