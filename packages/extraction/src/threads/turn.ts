/** Returns a function that waits for a turn, first come, first served, and gives what ends it. */
export function createTurn(): (signal: AbortSignal) => Promise<() => void> {
  let last: Promise<void> = Promise.resolve();
  return async function take(signal) {
    const before = last;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    // Who gives up passes the turn on, but only once it would have been theirs.
    last = before.then(() => ended);
    try {
      await abortable(before, signal);
      return end;
    } catch (error) {
      end();
      throw error;
    }
  };
}

async function abortable(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
