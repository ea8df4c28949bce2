/**
 * Works on what comes, up to `limit` at once, and takes the next only when there is room. The first failure ends it: `abort` is
 * called, and it is thrown when all that was begun has come to an end.
 */
export async function inParallel<T>(
  source: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
  abort: () => void,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  const fail = (error: unknown) => {
    failure ??= { error };
    abort();
  };
  try {
    for await (const item of source) {
      const working = work(item)
        .catch(fail)
        .finally(() => underWay.delete(working));
      underWay.add(working);
      if (underWay.size >= limit) await Promise.race(underWay);
      if (failure) break;
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(underWay);
  if (failure) throw failure.error;
}
