/** Time as the pool sees it, so that tests can move it by hand. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  setTimeout(wake: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (wake, ms) => setTimeout(wake, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};

/** A timer that does not keep the process alive on its own. */
export function backgroundTimer(clock: Clock, wake: () => void, ms: number): unknown {
  const timer = clock.setTimeout(wake, ms);
  (timer as { unref?(): void }).unref?.();
  return timer;
}
