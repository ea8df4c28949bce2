import { untilAborted } from './until-aborted.ts';

/** `joined`: this caller came while the work of another was under way. */
type Shared<T> = Promise<{ value: T; joined: boolean }>;

interface Flight<T> {
  result: Promise<T>;
  waiting: number;
  controller: AbortController;
}

type SingleFlight<T> = (
  key: string,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
) => Shared<T>;

/**
 * Callers with the same key at the same time share one run of `work`; a failure is shared as well, and not kept. A caller whose
 * `signal` is aborted leaves at once with its reason. The run goes on for the others, and is aborted when the last one has left.
 */
export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();

  function start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = { result: work(controller.signal), waiting: 0, controller };
    flights.set(key, flight);
    const landed = () => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    flight.result.then(landed, landed);
    return flight;
  }

  return async (key, work, signal) => {
    signal?.throwIfAborted();
    const underWay = flights.get(key);
    const flight = underWay ?? start(key, work);
    flight.waiting += 1;
    try {
      return { value: await untilAborted(signal, flight.result), joined: underWay !== undefined };
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0 && flights.get(key) === flight) {
        // Whoever comes now must not join what is being given up.
        flights.delete(key);
        flight.controller.abort(signal?.reason);
      }
    }
  };
}
