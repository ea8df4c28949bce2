/** `joined`: this caller came while the work of another was under way. */
type Shared<T> = Promise<{ value: T; joined: boolean }>;

/** Callers with the same key at the same time share one run of `work`; a failure is shared as well, and not kept. */
export function createSingleFlight<T>(): (key: string, work: () => Promise<T>) => Shared<T> {
  const flights = new Map<string, Promise<T>>();
  return async (key, work) => {
    const underWay = flights.get(key);
    if (underWay) return { value: await underWay, joined: true };
    const flight = work().finally(() => flights.delete(key));
    flights.set(key, flight);
    return { value: await flight, joined: false };
  };
}
