import { LRUCache } from 'lru-cache';
import type { Cache } from './cache.ts';
import { requireAtLeast } from './errors.ts';

export interface MemoryCacheOptions {
  /** Most memory for keys and values together, in bytes. What was used least recently goes first. */
  maxBytes: number;
}

/** What an entry costs beside its key and value: measured roughly, so that many small entries count too. */
const ENTRY_OVERHEAD_BYTES = 200;

export function createMemoryCache({ maxBytes }: MemoryCacheOptions): Cache {
  requireAtLeast('maxBytes', maxBytes, 1);
  const entries = new LRUCache<string, Uint8Array>({
    maxSize: maxBytes,
    sizeCalculation: (value, key) => value.byteLength + 2 * key.length + ENTRY_OVERHEAD_BYTES,
  });
  let hits = 0;
  let misses = 0;

  const cache: Cache = {
    async get(key) {
      const value = entries.get(key);
      if (value === undefined) misses += 1;
      else hits += 1;
      return value ?? null;
    },
    async set(key, value, { ttlMs }) {
      // A copy, because a view would keep all of a larger buffer alive. One that is too large is not kept.
      entries.set(key, new Uint8Array(value), { ttl: ttlMs });
    },
    async delete(key) {
      entries.delete(key);
    },
    stats: () => ({ hits, misses, errors: 0, entries: entries.size, bytes: entries.calculatedSize }),
    async ping() {},
    async close() {
      entries.clear();
    },
    [Symbol.asyncDispose]: () => cache.close(),
  };
  return cache;
}
