export interface CacheEntry {
  /** Must not be changed: others may be given the same bytes. */
  value: Uint8Array;
  /** How long it still lives, in milliseconds. */
  ttlMs: number;
}

/**
 * Remembers bytes for a while. A cache may forget anything at any time, so nothing but `ping` throws: what goes wrong is
 * a miss and is counted. Nothing can be taken back: who must never see an old value puts a generation into the key.
 */
export interface Cache extends AsyncDisposable {
  /** Null when unknown or expired. */
  get(key: string): Promise<CacheEntry | null>;
  /** `ttlMs` is a positive number of milliseconds. Keeps a copy of the bytes. */
  set(key: string, value: Uint8Array, options: { ttlMs: number }): Promise<void>;
  stats(): CacheStats;
  /** Throws a CacheError with code `cache_unavailable` when the cache cannot be reached. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface Claim {
  /** Whose it is: unlike that of any other claim. */
  token: string;
  /** The claim of somebody who dies ends by itself after so many milliseconds. */
  ms: number;
  /** An entry that lives no longer than this is claimed as a missing one is. In milliseconds. */
  renewMs: number;
}

/** A cache of several processes, of which one at a time can claim to be the one that makes a missing entry. */
export interface SharedCache extends Cache {
  /**
   * In one round trip. Neither entry nor claim: somebody else is making the entry. A cache that does not answer gives the
   * claim to everybody.
   */
  getOrClaim(key: string, claim: Claim): Promise<{ entry: CacheEntry | null; claimed: boolean }>;
  /** `set`, and gives the claim up if it is still held. */
  fill(key: string, value: Uint8Array, options: { ttlMs: number; token: string }): Promise<void>;
  /** For who cannot make the entry after all. */
  release(key: string, token: string): Promise<void>;
}

/** Counted since the cache was created, in this process. */
export interface CacheStats {
  /** By what stands before the first colon of the keys. */
  kinds: Record<string, LookupCounts>;
  /** Commands that failed or were not even tried. */
  errors: number;
  /** Where the driver knows them: entries and bytes held in this process, and entries that had to make room. */
  entries?: number;
  bytes?: number;
  evictions?: number;
}

export interface LookupCounts {
  hits: number;
  /** Found nothing, for whatever reason, errors included. */
  misses: number;
  /** Found that somebody else is making the entry. */
  busy: number;
}
