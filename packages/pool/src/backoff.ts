export interface BackoffOptions {
  /** Wait after the first failure, doubled each time up to the longest, in ms. */
  firstMs: number;
  longestMs: number;
}

/**
 * When to try again what has failed. Waits are jittered down to a half, so that many who were failed by the same outage do not come
 * back together.
 */
export class Backoff {
  lastError: unknown;
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #failures = 0;
  #retryAt = 0;

  /** `random`: in [0, 1). */
  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** The last attempt has failed. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  /** In ms; 0 when an attempt may be made at once. */
  retryInMs(now: number): number {
    return this.failing ? Math.max(0, this.#retryAt - now) : 0;
  }

  failed(error: unknown, now: number): void {
    this.lastError = error;
    // Of several that were under way together only the first counts: they are one attempt.
    if (this.failing && now < this.#retryAt) return;
    this.#failures += 1;
    const { firstMs, longestMs } = this.#options;
    const waitMs = Math.min(longestMs, firstMs * 2 ** (this.#failures - 1));
    this.#retryAt = now + waitMs * (0.5 + this.#random() / 2);
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
