import { vi } from 'vitest';

/** Far more than anything here takes, so that a busy machine does not fail a test. */
export const patienceMs = 25_000;

/** Tries until it does not throw any more. */
export function eventually<T>(attempt: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(attempt, { timeout: patienceMs, interval: 20 });
}

/** Waits until it is true, or neither null nor undefined. */
export function until<T>(
  condition: () => T | Promise<T>,
): Promise<Exclude<Awaited<T>, false | null | undefined | 0>> {
  return vi.waitUntil(condition as () => Promise<T>, { timeout: patienceMs, interval: 10 }) as never;
}

/** What a promise rejected with; fails when it did not. */
export async function errorOf<E = Error & { code?: string }>(promise: Promise<unknown>): Promise<E> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: E) => ({ error }),
  );
  if ('error' in outcome) return outcome.error;
  throw new Error(`expected an error, got ${JSON.stringify(outcome.value)}`);
}
