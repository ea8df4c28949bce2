/** The last result for a while, and one run for all who ask meanwhile: dashboards ask every other second, each of their viewers. */
export function remembered<T>(read: () => Promise<T>, ms: number): () => Promise<T> {
  let latest: Promise<T> | undefined;
  let readAt = 0;
  return () => {
    if (latest && performance.now() - readAt < ms) return latest;
    readAt = performance.now();
    const reading = read();
    latest = reading;
    reading.catch(() => {
      if (latest === reading) latest = undefined;
    });
    return reading;
  };
}
