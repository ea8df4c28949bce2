import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';

export interface Reading {
  used: number;
  /** When counting begins anew, in ms from now. */
  resetMs: number;
}

/** Counts what each of many has used in a period that begins with the first use. */
export interface Meter {
  /** Negative: gives back. */
  add(id: string, amount: number): Promise<Reading>;
}

type Limiter = Pick<RateLimiterMemory, 'penalty' | 'reward'>;

export interface MeterOptions {
  name: string;
  periodSeconds: number;
  /** Where all gateways count together. Undefined, or while it does not answer: each for itself. */
  redis: Redis | undefined;
}

// The limit is the caller's: it differs from key to key, and here only counting is asked for.
const noLimit = Number.MAX_SAFE_INTEGER;
// For so long after a failure it is not asked: one request a second waits for a Redis that is silent, and not all of them.
const pauseMs = 1_000;

export function createMeter({ name, periodSeconds: duration, redis }: MeterOptions): Meter {
  const options = { keyPrefix: `sluice:limit:${name}`, points: noLimit, duration };
  const own = new RateLimiterMemory(options);
  const shared =
    redis && new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true });
  let pausedUntil = 0;

  function change(limiter: Limiter, id: string, amount: number): Promise<RateLimiterRes> {
    return amount < 0 ? limiter.reward(id, -amount) : limiter.penalty(id, amount);
  }
  async function count(id: string, amount: number): Promise<RateLimiterRes> {
    if (!shared || performance.now() < pausedUntil) return change(own, id, amount);
    try {
      return await change(shared, id, amount);
    } catch {
      pausedUntil = performance.now() + pauseMs;
      return change(own, id, amount);
    }
  }
  return {
    async add(id, amount) {
      const { consumedPoints: used, msBeforeNext: resetMs } = await count(id, amount);
      return { used, resetMs };
    },
  };
}
