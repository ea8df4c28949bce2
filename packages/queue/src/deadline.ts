import { QueueError, type QueueErrorDetails } from './errors.ts';

/** Settles like `work`, or rejects with `queue_unavailable` after `timeoutMs`; the work itself is not stopped. */
export async function withDeadline<T>(
  work: Promise<T>,
  timeoutMs: number,
  what: string,
  details: QueueErrorDetails = {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        reject(
          new QueueError(
            'queue_unavailable',
            `${what}: no answer within ${Math.round(timeoutMs)} ms`,
            details,
          ),
        );
      },
      Math.max(timeoutMs, 1),
    );
  });
  // Work that loses the race may still fail; nobody else would hear it.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
  }
}
