/** Where somebody asked for a lease. */
export interface Origin {
  stack?: string;
}

/** Remembers where leases were taken, and tells once of each that is held for too long. */
export class LeakDetector<K> {
  readonly #afterMs: number;
  readonly #held = new Map<K, { since: number; origin: Origin }>();

  /** `afterMs` 0 switches it off. */
  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /** To be asked on the way of the call, since whoever waits is served from somebody else's. Undefined when switched off. */
  here(): Origin | undefined {
    if (this.#afterMs === 0) return undefined;
    const origin: Origin = {};
    // Only the frames are taken here; the text is made when somebody reads it.
    Error.captureStackTrace(origin, this.here);
    return origin;
  }

  taken(key: K, now: number, origin: Origin | undefined): void {
    if (origin) this.#held.set(key, { since: now, origin });
  }

  returned(key: K): void {
    this.#held.delete(key);
  }

  check(now: number, report: (key: K, heldMs: number, stack: string) => void): void {
    for (const [key, { since, origin }] of this.#held) {
      if (now - since < this.#afterMs) continue;
      this.#held.delete(key);
      report(key, now - since, (origin.stack ?? '').replace(/^.*\n/, ''));
    }
  }
}
