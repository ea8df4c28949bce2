import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CacheEntry, type CacheLevel, decodeJson, encodeJson, type TieredCache } from '@sluice/cache';

export interface AnswerCacheOptions {
  /** How long an answer is fresh, in ms. Up to a tenth less, so that answers of one moment do not end at one moment. */
  ttlMs: number;
  /** How long after that it is still given while it is made anew, in ms. 0: not at all. */
  staleMs: number;
  /** Longest wait for another process that is making the same answer, in ms. What a process costs that dies doing so. */
  shareWaitMs: number;
  /** Longest time that an answer may take to be made anew in the background, in ms. */
  renewTimeoutMs: number;
}

/**
 * - `run`: the caller's own `run` made it.
 * - `memory`, `redis`: found, and fresh.
 * - `shared`: another process was making it, and has.
 * - `stale`: found, past its time; it is being made anew.
 */
export type AnswerSource = CacheLevel | 'run' | 'shared' | 'stale';

export interface CachedAnswer<T> {
  value: T;
  source: AnswerSource;
}

type Run<T> = (signal: AbortSignal) => Promise<T>;

export interface AnswerCacheHooks<T> {
  /** Better than none, and not to be kept like others. Default: none is. */
  isMakeshift?(value: T): boolean;
  /** Whether there is time for what nobody waits for. Default: always. */
  mayRenew?(): boolean;
}

export type AnswerCache<T> = (key: string, run: Run<T>, signal: AbortSignal) => Promise<CachedAnswer<T>>;

const jitter = 0.1;
// Long enough that many share it, and over soon after what made it a makeshift.
const makeshiftMs = 2_000;
const pollMs = { first: 3, most: 25 };

/**
 * Finds an answer, or has it made by one process: whoever finds none claims it in the round trip of the lookup; others
 * look again until it is there, nobody claims it any more (its maker failed or died), or `shareWaitMs` are over, and then
 * make it themselves. Failures of `run` are the caller's and never kept, and when `signal` is aborted the claim is given up: others
 * need not wait for what nobody makes.
 *
 * What `isMakeshift` is fresh for two seconds at most, and then as good as not there: the next one to ask makes it anew.
 *
 * Entries outlive their freshness by `staleMs`, so what is left of their lives tells whether they are fresh, without a clock
 * that processes would have to share.
 */
export function createAnswerCache<T>(
  cache: TieredCache,
  { ttlMs, staleMs, shareWaitMs, renewTimeoutMs }: AnswerCacheOptions,
  { isMakeshift = () => false, mayRenew = () => true }: AnswerCacheHooks<T> = {},
): AnswerCache<T> {
  const renewals = new Set<string>();
  const newClaim = () => ({ token: randomUUID(), ms: shareWaitMs, renewMs: staleMs });
  const parse = (entry: CacheEntry) => decodeJson(entry.value, (value) => ({ value: value as T }));

  async function make(key: string, token: string, run: Run<T>, signal: AbortSignal): Promise<T> {
    try {
      signal.throwIfAborted();
      const value = await run(signal);
      const freshMs = isMakeshift(value) ? Math.min(ttlMs, makeshiftMs) : ttlMs;
      const life = freshMs * (1 - jitter * Math.random()) + staleMs;
      // Nobody waits for Redis here: in process it is there at once, and whoever has claimed it is known to be done soon.
      void cache.fill(key, encodeJson(value), { ttlMs: life, token });
      return value;
    } catch (error) {
      void cache.release(key, token);
      throw error;
    }
  }

  /** For nobody in particular, so whoever has found the entry may leave. With a token the claim is the caller's already. */
  async function renew(key: string, run: Run<T>, token?: string): Promise<void> {
    if (renewals.has(key)) return;
    renewals.add(key);
    const signal = AbortSignal.timeout(renewTimeoutMs);
    try {
      const claim = newClaim();
      if (token) await make(key, token, run, signal);
      else if ((await cache.getFarOrClaim(key, claim)).claimed) await make(key, claim.token, run, signal);
    } catch {
      // It stays stale, and the next query that finds it tries again.
    } finally {
      renewals.delete(key);
    }
  }

  /** Of an entry that was found. Null when it cannot be read. */
  function answerOf(
    entry: CacheEntry,
    source: AnswerSource,
    key: string,
    run: Run<T>,
    token?: string,
  ): CachedAnswer<T> | null {
    const parsed = parse(entry);
    if (!parsed) return null;
    if (entry.ttlMs > staleMs) return { ...parsed, source };
    if (isMakeshift(parsed.value)) return null;
    if (mayRenew()) void renew(key, run, token);
    else if (token) void cache.release(key, token);
    return { ...parsed, source: 'stale' };
  }

  async function findOrMake(key: string, run: Run<T>, signal: AbortSignal): Promise<CachedAnswer<T>> {
    const claim = newClaim();
    const deadline = performance.now() + shareWaitMs;
    for (
      let pause = pollMs.first, waited = false;
      ;
      pause = Math.min(pause * 2, pollMs.most), waited = true
    ) {
      const { entry, claimed } = await cache.getFarOrClaim(key, claim);
      const source = waited ? 'shared' : 'redis';
      const found = entry && answerOf(entry, source, key, run, claimed ? claim.token : undefined);
      if (found) return found;
      if (claimed || performance.now() + pause > deadline) break;
      await sleep(pause, undefined, { signal });
    }
    return { value: await make(key, claim.token, run, signal), source: 'run' };
  }

  return async (key, run, signal) => {
    const near = await cache.getNear(key);
    return (near && answerOf(near, near.level, key, run)) ?? findOrMake(key, run, signal);
  };
}
