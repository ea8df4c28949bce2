import { decodeJson, encodeJson, type TieredCache } from '@sluice/cache';

/** The last answer to a question, whatever was written since. */
export interface KeptAnswer<T> {
  value: T;
  /** Of the collection's contents. */
  generation: number;
  /** ms */
  ageMs: number;
}

export interface KeptAnswers<T> {
  keep(key: string, value: T, generation: number): void;
  /** Undefined where there is none that is younger than `maxAgeMs`. */
  find(key: string, maxAgeMs: number): Promise<KeptAnswer<T> | undefined>;
}

/**
 * Keeps each answer once more, for `maxAgeMs` and without regard to what is written, for when no new one can be made. 0: keeps none.
 * They make room like other entries, those that were not asked for longest first.
 */
export function createKeptAnswers<T>(cache: TieredCache, maxAgeMs: number): KeptAnswers<T> {
  const parse = (entry: unknown) => entry as { value: T; generation: number; madeAt: number };
  return {
    keep(key, value, generation) {
      if (maxAgeMs === 0) return;
      void cache.set(key, encodeJson({ value, generation, madeAt: Date.now() }), { ttlMs: maxAgeMs });
    },
    async find(key, limitMs) {
      const mostMs = Math.min(limitMs, maxAgeMs);
      if (mostMs === 0) return undefined;
      const entry = await cache.get(key);
      const kept = entry && decodeJson(entry.value, parse);
      if (!kept) return undefined;
      // Another process may have made it, whose clock is ahead.
      const ageMs = Math.max(0, Date.now() - kept.madeAt);
      return ageMs <= mostMs ? { value: kept.value, generation: kept.generation, ageMs } : undefined;
    },
  };
}
