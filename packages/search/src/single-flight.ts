/** Callers with the same key at the same time share one run of `work`; a failure is shared as well, and not kept. */
export function createSingleFlight<T>(): (key: string, work: () => Promise<T>) => Promise<T> {
  const flights = new Map<string, Promise<T>>();
  return (key, work) => {
    const underWay = flights.get(key);
    if (underWay) return underWay;
    const flight = work().finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}
