import type { RetryPolicy } from './job-definition.ts';

const longestStepMs = 60_000;
// Who asks for hours is asked again before: the cause may be gone by then.
const longestAskedMs = 600_000;

/** How long an error asks to be left alone, in milliseconds, where it does. */
export function askedPauseMs(error: Error): number | undefined {
  const { retryAfterMs } = error as { retryAfterMs?: unknown };
  return typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? retryAfterMs : undefined;
}

/**
 * When a job that was put off comes back, in milliseconds from now: not before it was asked to, later each time, and not at the same
 * moment as all others that were put off with it.
 *
 * @param started how often the job has been started
 */
export function putOffMs(askedMs: number, started: number, { backoffMs, jitter }: RetryPolicy): number {
  const step = Math.min(longestStepMs, backoffMs * 2 ** Math.max(0, started - 1));
  const pause = Math.max(step, Math.min(askedMs, longestAskedMs));
  return Math.ceil(pause * (1 + jitter * Math.random()));
}
