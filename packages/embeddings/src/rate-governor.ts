import { setTimeout as sleep } from 'node:timers/promises';

export interface RateGovernor {
  /**
   * Resolves when a request of this many tokens may be sent, in the order of the calls.
   *
   * @throws the reason of `signal` when that is aborted first; the request then counts for nothing
   */
  acquire(tokens: number, signal?: AbortSignal): Promise<void>;
  /** Lets nobody through for this long, as a provider asks by Retry-After. Milliseconds. */
  pause(ms: number): void;
}

export interface RateGovernorOptions {
  /** Default unlimited. */
  requestsPerMinute?: number | undefined;
  /** Default unlimited. A single request above it is let through when nothing else was sent for a whole window. */
  tokensPerMinute?: number | undefined;
  /** The window that the two limits speak of, in milliseconds. Default 60 000. */
  windowMs?: number | undefined;
}

/**
 * Keeps the requests of this process under the provider's limits: whichever window one looks at, it never holds more than the
 * limits allow. A token bucket would let through up to twice as much in a window that begins with a full bucket.
 */
export function createRateGovernor(options: RateGovernorOptions = {}): RateGovernor {
  const maxRequests = options.requestsPerMinute ?? Number.POSITIVE_INFINITY;
  const maxTokens = options.tokensPerMinute ?? Number.POSITIVE_INFINITY;
  const windowMs = options.windowMs ?? 60_000;
  const unlimited = maxRequests === Number.POSITIVE_INFINITY && maxTokens === Number.POSITIVE_INFINITY;
  /** Oldest first. */
  const sent: { at: number; tokens: number }[] = [];
  let pausedUntil = 0;
  let lastInLine: Promise<void> = Promise.resolve();

  /** How long until a request of this cost fits, 0 if it does now. */
  function delay(cost: number): number {
    const now = performance.now();
    if (pausedUntil > now) return pausedUntil - now;
    if (unlimited) return 0;
    while (sent[0] !== undefined && sent[0].at <= now - windowMs) sent.shift();
    let requests = sent.length + 1;
    let tokens = sent.reduce((sum, each) => sum + each.tokens, cost);
    let freeAt = now;
    for (const oldest of sent) {
      if (requests <= maxRequests && tokens <= maxTokens) break;
      requests -= 1;
      tokens -= oldest.tokens;
      freeAt = oldest.at + windowMs;
    }
    return freeAt - now;
  }

  async function waitForTurn(
    previous: Promise<void>,
    cost: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await previous;
    signal?.throwIfAborted();
    // Asked again after each wait: a pause may have been imposed meanwhile, and timers may fire a little early.
    for (let ms = delay(cost); ms > 0; ms = delay(cost)) {
      await sleep(Math.ceil(ms), undefined, signal === undefined ? {} : { signal });
    }
    if (!unlimited) sent.push({ at: performance.now(), tokens: cost });
  }

  return {
    acquire(tokens, signal) {
      const turn = waitForTurn(lastInLine, Math.min(tokens, maxTokens), signal).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw error;
      });
      lastInLine = turn.catch(() => {});
      return turn;
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, performance.now() + ms);
    },
  };
}
