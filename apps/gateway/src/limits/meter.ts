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
  read(id: string): Promise<Reading>;
}

export interface MeterOptions {
  name: string;
  periodSeconds: number;
  /** Where all gateways count together. Undefined, or while it does not answer: each for itself. */
  redis: Redis | undefined;
}

// The limit is the caller's: it differs from key to key, and here only counting is asked for.
const noLimit = Number.MAX_SAFE_INTEGER;

export function createMeter({ name, periodSeconds: duration, redis }: MeterOptions): Meter {
  const options = { keyPrefix: `sluice:limit:${name}`, points: noLimit, duration };
  const memory = new RateLimiterMemory(options);
  const limiter = redis
    ? new RateLimiterRedis({
        ...options,
        storeClient: redis,
        rejectIfRedisNotReady: true,
        insuranceLimiter: memory,
      })
    : memory;
  const readingOf = (result: RateLimiterRes | null): Reading => ({
    used: result?.consumedPoints ?? 0,
    resetMs: result?.msBeforeNext ?? duration * 1_000,
  });
  return {
    async add(id, amount) {
      return readingOf(await (amount < 0 ? limiter.reward(id, -amount) : limiter.penalty(id, amount)));
    },
    async read(id) {
      return readingOf(await limiter.get(id));
    },
  };
}
