import type { JobsOptions } from 'bullmq';
import type { z } from 'zod';
import { QueueError } from './errors.ts';

/** What is known about a kind of job before any instance exists. Its name is also the name of its queue. */
export interface JobDefinition<P> {
  readonly name: string;
  /** Carries ids, never content: a job is read and written many times on its way. */
  readonly payload: z.ZodType<P>;
  readonly retry: RetryPolicy;
  /** How many finished jobs stay visible (Bull Board), and for how long. */
  readonly keepCompleted: Retention;
  readonly keepFailed: Retention;
}

export interface RetryPolicy {
  /** Attempts in all, the first one included. */
  readonly attempts: number;
  /** Wait before the second attempt, in milliseconds; doubles with each further one. */
  readonly backoffMs: number;
  /** Share of the wait that is random, 0 to 1: 0.5 waits between half and all of it. */
  readonly jitter: number;
  /** How long after it was enqueued a job may be put off without counting the attempt, in milliseconds. */
  readonly putOffForMs: number;
}

export interface Retention {
  readonly count: number;
  readonly ageSeconds: number;
}

export function parsePayload<P>(job: JobDefinition<P>, payload: unknown, jobId: string): P {
  const parsed = job.payload.safeParse(payload);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'payload'}: ${issue.message}`);
  throw new QueueError('queue_invalid_payload', `Job ${job.name} ${jobId}: ${where.join('; ')}`, {
    job: job.name,
    jobId,
    cause: parsed.error,
  });
}

/** The definition in BullMQ's terms. */
export function bullMqJobOptions<P>(job: JobDefinition<P>): JobsOptions {
  return {
    attempts: job.retry.attempts,
    backoff: { type: 'exponential', delay: job.retry.backoffMs, jitter: job.retry.jitter },
    removeOnComplete: { count: job.keepCompleted.count, age: job.keepCompleted.ageSeconds },
    removeOnFail: { count: job.keepFailed.count, age: job.keepFailed.ageSeconds },
    stackTraceLimit: 1,
    sizeLimit: 4096,
  };
}
