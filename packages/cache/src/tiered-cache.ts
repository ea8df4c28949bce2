import type { Cache, CacheEntry, CacheStats, Claim, SharedCache } from './cache.ts';

export type CacheLevel = 'memory' | 'redis';

export interface TieredEntry extends CacheEntry {
  level: CacheLevel;
}

/** A small cache in process before a large one that is shared. A copy in process lives as long as its entry. */
export interface TieredCache extends AsyncDisposable {
  get(key: string): Promise<TieredEntry | null>;
  /** Looks in process only. */
  getNear(key: string): Promise<TieredEntry | null>;
  /** Looks into the shared cache only. Without one, everybody has the claim. */
  getFarOrClaim(key: string, claim: Claim): Promise<{ entry: TieredEntry | null; claimed: boolean }>;
  /** In process it is set when the call returns, before its promise is resolved. The same holds for `fill`. */
  set(key: string, value: Uint8Array, options: { ttlMs: number }): Promise<void>;
  fill(key: string, value: Uint8Array, options: { ttlMs: number; token: string }): Promise<void>;
  release(key: string, token: string): Promise<void>;
  stats(): Partial<Record<CacheLevel, CacheStats>>;
  /** Throws a CacheError with code `cache_unavailable` when the shared cache cannot be reached. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Owns both caches and closes them. */
export function createTieredCache(near: Cache, far?: SharedCache): TieredCache {
  async function getNear(key: string): Promise<TieredEntry | null> {
    const entry = await near.get(key);
    return entry && { ...entry, level: 'memory' };
  }

  async function promote(key: string, entry: CacheEntry | null): Promise<TieredEntry | null> {
    if (!entry) return null;
    // It may expire on the way here, and then 0 would be for ever.
    if (entry.ttlMs > 0) await near.set(key, entry.value, { ttlMs: entry.ttlMs });
    return { ...entry, level: 'redis' };
  }

  const cache: TieredCache = {
    get: async (key) => (await getNear(key)) ?? (far ? promote(key, await far.get(key)) : null),
    getNear,
    async getFarOrClaim(key, claim) {
      if (!far) return { entry: null, claimed: true };
      const { entry, claimed } = await far.getOrClaim(key, claim);
      return { entry: await promote(key, entry), claimed };
    },
    async set(key, value, options) {
      await Promise.all([near.set(key, value, options), far?.set(key, value, options)]);
    },
    async fill(key, value, options) {
      await Promise.all([near.set(key, value, options), far?.fill(key, value, options)]);
    },
    async release(key, token) {
      await far?.release(key, token);
    },
    stats: () => ({ memory: near.stats(), ...(far && { redis: far.stats() }) }),
    async ping() {
      await far?.ping();
    },
    async close() {
      await Promise.all([near.close(), far?.close()]);
    },
    [Symbol.asyncDispose]: () => cache.close(),
  };
  return cache;
}
