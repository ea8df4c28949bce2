// The circuit breaker stays inside: no caller needs to know when Redis is left alone.
export type { Cache, CacheStats } from './cache.ts';
export { CacheError, type CacheErrorCode } from './errors.ts';
export { getJson, setJson } from './json-entry.ts';
export { createMemoryCache, type MemoryCacheOptions } from './memory-cache.ts';
export { createRedisCache, type RedisCacheOptions } from './redis-cache.ts';
export { createTieredCache, type TieredCacheOptions } from './tiered-cache.ts';
export { getVector, setVector } from './vector-entry.ts';
