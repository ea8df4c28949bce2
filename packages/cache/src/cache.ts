/**
 * Remembers bytes for a while. A cache may forget anything at any time, so `get`, `set` and `delete` never throw: what
 * goes wrong is a miss and is counted.
 */
export interface Cache extends AsyncDisposable {
  /** The bytes must not be changed: others may be given the same ones. Null when unknown or expired. */
  get(key: string): Promise<Uint8Array | null>;
  /** `ttlMs` is a positive number of milliseconds. Keeps a copy of the bytes. */
  set(key: string, value: Uint8Array, options: { ttlMs: number }): Promise<void>;
  /**
   * Best effort: an unreachable cache keeps its entry. Who must never see an old value puts a generation into the
   * key instead.
   */
  delete(key: string): Promise<void>;
  stats(): CacheStats;
  /** Throws a CacheError with code `cache_unavailable` when the cache cannot be reached. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Counted since the cache was created, in this process. */
export interface CacheStats {
  hits: number;
  /** Lookups that found nothing, for whatever reason, errors included. */
  misses: number;
  errors: number;
  /** Where the driver knows them: entries and bytes held in this process. */
  entries?: number;
  bytes?: number;
}
