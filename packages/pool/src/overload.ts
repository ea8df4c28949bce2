export interface SheddingOptions {
  /** A line is overloaded when its head has waited this long, in ms, ... */
  targetMs: number;
  /** ... and the line has not been empty for this long, in ms. */
  intervalMs: number;
}

/**
 * Tells a standing queue from a burst, after CoDel (RFC 8289) in the form of B. Maurer, "Fail at Scale" (ACM Queue 13/8,
 * 2015): a line that was empty a moment ago is a burst and may wait; one that has not been empty for a whole interval,
 * and makes people wait longer than the target, only grows. Then those who came last are served first, since the
 * others have given up or soon will, and whoever has waited longer than the target is told so at once.
 *
 * A line in front of a pool that is still opening connections, as a cold one does, does not count as standing.
 *
 * normal -> overloaded when both limits are passed; overloaded -> normal when the line has run empty.
 */
export class OverloadDetector {
  overloaded = false;
  readonly #options: SheddingOptions;
  #emptyAt: number;

  constructor(options: SheddingOptions, now: number) {
    this.#options = options;
    this.#emptyAt = now;
  }

  get targetMs(): number {
    return this.#options.targetMs;
  }

  lineIsEmpty(now: number): void {
    this.#emptyAt = now;
    this.overloaded = false;
  }

  /** More is about to be served at a time, so that what is known of the line says little about how it goes on. */
  capacityGrows(now: number): void {
    if (!this.overloaded) this.#emptyAt = now;
  }

  /** `headMs`: how long the oldest in line has waited. */
  observe(now: number, headMs: number): void {
    const { targetMs, intervalMs } = this.#options;
    if (headMs > targetMs && now - this.#emptyAt > intervalMs) this.overloaded = true;
  }

  /** How long from now the state can change at the earliest, given the wait of the oldest in line. */
  nextCheckMs(now: number, headMs: number): number {
    const { targetMs, intervalMs } = this.#options;
    const target = targetMs - headMs;
    return Math.max(1, this.overloaded ? target : Math.max(target, intervalMs - (now - this.#emptyAt)));
  }
}
