import type { Cache } from './cache.ts';

export interface TieredCacheOptions {
  /** Longest stay of a copy in the near cache, in milliseconds. Default 10 000. */
  nearTtlMs?: number;
}

const DEFAULT_NEAR_TTL_MS = 10_000;

/**
 * A small near cache before a large far one: what is asked for often does not leave the process. A `delete` reaches
 * the near caches of other processes only after `nearTtlMs`. Owns both caches and closes them.
 */
export function createTieredCache(near: Cache, far: Cache, options: TieredCacheOptions = {}): Cache {
  const nearTtlMs = options.nearTtlMs ?? DEFAULT_NEAR_TTL_MS;
  let hits = 0;
  let misses = 0;

  const cache: Cache = {
    async get(key) {
      const value = (await near.get(key)) ?? (await promote(key));
      if (value === null) misses += 1;
      else hits += 1;
      return value;
    },
    async set(key, value, { ttlMs }) {
      await near.set(key, value, { ttlMs: Math.min(ttlMs, nearTtlMs) });
      await far.set(key, value, { ttlMs });
    },
    async delete(key) {
      await far.delete(key);
      await near.delete(key);
    },
    stats() {
      const { errors: nearErrors, ...held } = near.stats();
      return { ...held, hits, misses, errors: nearErrors + far.stats().errors };
    },
    async ping() {
      await near.ping();
      await far.ping();
    },
    async close() {
      await Promise.all([near.close(), far.close()]);
    },
    [Symbol.asyncDispose]: () => cache.close(),
  };

  async function promote(key: string): Promise<Uint8Array | null> {
    const value = await far.get(key);
    // May outlive the far entry by up to `nearTtlMs`: how long that one still has is not worth another round trip.
    if (value !== null) await near.set(key, value, { ttlMs: nearTtlMs });
    return value;
  }

  return cache;
}
