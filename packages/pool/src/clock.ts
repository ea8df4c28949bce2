/** Time as the pool sees it, so that tests can move it by hand. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  setTimeout(wake: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

// Timers of Node that are longer fire at once.
const longestTimerMs = 2 ** 31 - 1;

/** A time that timers can keep; `Infinity`, for never, is the longest there is: 24 days. */
export function withinTimers(ms: number): number {
  return Math.min(ms, longestTimerMs);
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (wake, ms) => setTimeout(wake, withinTimers(ms)),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};

/** A timer that does not keep the process alive on its own. */
export function backgroundTimer(clock: Clock, wake: () => void, ms: number): unknown {
  const timer = clock.setTimeout(wake, ms);
  (timer as { unref?(): void }).unref?.();
  return timer;
}
