import { setTimeout as sleep } from 'node:timers/promises';
import { createSlidingWindow } from './sliding-window.ts';

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

/** Keeps the requests of this process under the provider's limits, in any window. */
export function createRateGovernor(options: RateGovernorOptions = {}): RateGovernor {
  const { limits, windowMs, unlimited } = resolveRateLimits(options);
  const sent = createSlidingWindow(windowMs);
  let pausedUntil = 0;

  return {
    acquire: oneAfterTheOther(limits.tokens, (tokens) => {
      const pauseMs = pausedUntil - performance.now();
      if (pauseMs > 0) return pauseMs;
      if (unlimited) return 0;
      const ms = sent.delay(tokens, limits);
      if (ms <= 0) sent.add(1, tokens);
      return ms;
    }),
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, performance.now() + ms);
    },
  };
}

export function resolveRateLimits(options: RateGovernorOptions) {
  const requests = options.requestsPerMinute ?? Number.POSITIVE_INFINITY;
  const tokens = options.tokensPerMinute ?? Number.POSITIVE_INFINITY;
  return {
    limits: { requests, tokens },
    windowMs: options.windowMs ?? 60_000,
    unlimited: requests === Number.POSITIVE_INFINITY && tokens === Number.POSITIVE_INFINITY,
  };
}

/**
 * Calls `take` for the first in line until it says 0, then for the next.
 *
 * @param take takes a turn and says 0, or says how many milliseconds to wait before it is asked again: a pause may be imposed
 * meanwhile, and timers may fire a little early
 * @param leave called when somebody gives up
 */
export function oneAfterTheOther(
  maxTokens: number,
  take: (tokens: number) => number | Promise<number>,
  leave?: () => void,
): RateGovernor['acquire'] {
  let lastInLine: Promise<void> = Promise.resolve();

  async function waitForTurn(
    previous: Promise<void>,
    tokens: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await previous;
    signal?.throwIfAborted();
    for (let ms = await take(tokens); ms > 0; ms = await take(tokens)) {
      await sleep(Math.ceil(ms), undefined, signal === undefined ? {} : { signal });
    }
  }

  return (tokens, signal) => {
    const turn = waitForTurn(lastInLine, Math.min(tokens, maxTokens), signal).catch((error: unknown) => {
      leave?.();
      signal?.throwIfAborted();
      throw error;
    });
    lastInLine = turn.catch(() => {});
    return turn;
  };
}
