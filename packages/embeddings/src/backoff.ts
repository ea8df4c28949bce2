const longestMs = 20_000;

/**
 * Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015), but never below
 * a tenth of the step, nor below what the provider asked for.
 *
 * @param attempt 1 after the first failure
 * @param firstMs length of the first step
 * @returns milliseconds
 */
export function backoffMs(attempt: number, firstMs: number, retryAfterMs = 0): number {
  const step = Math.min(longestMs, firstMs * 2 ** (attempt - 1));
  return Math.max(retryAfterMs, step * (0.1 + 0.9 * Math.random()));
}
