// The circuit breaker and the scripts stay inside: no caller needs to know when Redis is left alone, or what runs in it.
export type { Cache, CacheEntry, CacheStats, Claim, LookupCounts, SharedCache } from './cache.ts';
export { CacheError, type CacheErrorCode } from './errors.ts';
export { decodeJson, encodeJson } from './json-entry.ts';
export { createMemoryCache, type MemoryCacheOptions } from './memory-cache.ts';
export { createRedisCache, type RedisCacheOptions } from './redis-cache.ts';
export { type CacheLevel, createTieredCache, type TieredCache, type TieredEntry } from './tiered-cache.ts';
export { getVector, setVector } from './vector-entry.ts';
