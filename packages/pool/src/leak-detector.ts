/** Remembers where leases were taken, and tells once of each that is held for too long. */
export class LeakDetector<K> {
  readonly #afterMs: number;
  readonly #held = new Map<K, { since: number; origin: { stack?: string } }>();

  /** `afterMs` 0 switches it off. */
  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  taken(key: K, now: number): void {
    if (this.#afterMs === 0) return;
    const origin: { stack?: string } = {};
    // Only the frames are taken here; the text is made when somebody reads it.
    Error.captureStackTrace(origin, this.taken);
    this.#held.set(key, { since: now, origin });
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
