import { LRUCache } from 'lru-cache';
import type { Cache } from './cache.ts';
import { requireAtLeast } from './errors.ts';
import { createLookupCounter } from './lookup-counter.ts';

export interface MemoryCacheOptions {
  /** Most memory for keys and values together, in bytes. What was used least recently goes first. */
  maxBytes: number;
  /** Most entries. Default 50 000; room for their places is reserved at once, about 30 bytes each. */
  maxEntries?: number;
}

/** What an entry costs beside its key and value: measured roughly, so that many small entries count too. */
const ENTRY_OVERHEAD_BYTES = 200;
const DEFAULT_MAX_ENTRIES = 50_000;

export function createMemoryCache({ maxBytes, maxEntries = DEFAULT_MAX_ENTRIES }: MemoryCacheOptions): Cache {
  requireAtLeast('maxBytes', maxBytes, 1);
  requireAtLeast('maxEntries', maxEntries, 1);
  let evictions = 0;
  const entries = new LRUCache<string, Uint8Array>({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: (value, key) => value.byteLength + 2 * key.length + ENTRY_OVERHEAD_BYTES,
    dispose: (_value, _key, reason) => {
      if (reason === 'evict') evictions += 1;
    },
  });
  const lookups = createLookupCounter();

  const cache: Cache = {
    async get(key) {
      const value = entries.get(key);
      lookups.count(key, value === undefined ? 'misses' : 'hits');
      return value === undefined ? null : { value, ttlMs: entries.getRemainingTTL(key) };
    },
    async set(key, value, { ttlMs }) {
      // A copy, because a view would keep all of a larger buffer alive. One that is too large is not kept.
      entries.set(key, new Uint8Array(value), { ttl: ttlMs });
    },
    stats: () => ({
      kinds: lookups.kinds(),
      errors: 0,
      entries: entries.size,
      bytes: entries.calculatedSize,
      evictions,
    }),
    async ping() {},
    async close() {
      entries.clear();
    },
    [Symbol.asyncDispose]: () => cache.close(),
  };
  return cache;
}
