// Of the time; so that figures of a large database never become the load that they tell of.
const mostShare = 1 / 20;
// Who asks after that is not made to wait for a reading that may never end.
const pendingMs = 10_000;

/**
 * The last result for a while, and one run for all who ask meanwhile: dashboards ask every other second, each of their viewers. What takes long
 * to read is kept for longer than `ms`.
 */
export function remembered<T>(read: () => Promise<T>, ms: number): () => Promise<T> {
  let latest: Promise<T> | undefined;
  let freshUntil = 0;
  return () => {
    if (latest && performance.now() < freshUntil) return latest;
    const start = performance.now();
    const reading = read();
    latest = reading;
    freshUntil = start + Math.max(ms, pendingMs);
    reading.then(
      () => {
        const now = performance.now();
        if (latest === reading) freshUntil = Math.max(start + ms, now + (now - start) / mostShare);
      },
      () => {
        if (latest === reading) latest = undefined;
      },
    );
    return reading;
  };
}
