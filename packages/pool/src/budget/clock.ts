export interface Timer {
  unref?(): unknown;
}

/** Time, so that tests can make their own. */
export interface Clock {
  /** Milliseconds since any moment. Never goes back. */
  now(): number;
  setTimeout(call: () => void, ms: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
}

/**
 * Advances with the monotonic or the wall clock, whichever went further: the monotonic one of Linux stands still while
 * the machine is suspended. A wall clock that is set forward looks like a pause, which costs a moment of caution.
 */
export function createClock(): Clock {
  let monotonic = performance.now();
  let wall = Date.now();
  let now = 0;
  return {
    now() {
      const [monotonicNow, wallNow] = [performance.now(), Date.now()];
      now += Math.max(monotonicNow - monotonic, wallNow - wall, 0);
      monotonic = monotonicNow;
      wall = wallNow;
      return now;
    },
    setTimeout: (call, ms) => setTimeout(call, ms),
    clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  };
}

/** Rejects with `late()` when the promise takes longer. What it brings later is dropped, errors too. */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(late()), ms);
    timer.unref?.();
    void promise.then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}
