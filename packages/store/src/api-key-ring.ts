import { timingSafeEqual } from 'node:crypto';
import type { Pool } from '@sluice/pool';
import { apiKeyIdOf, hashApiKey } from './api-key-format.ts';
import { type ApiKeyCheck, readApiKeys, touchApiKeys } from './api-keys.ts';
import { createFreshRead } from './fresh-read.ts';

/**
 * The keys that can be used, held in the process: no request asks the database for its key. Whoever hears of a change (the
 * catalog does, by LISTEN) has them read again, and they are read every `pollMs` where nobody can. While the database is away keys stay what they were, since nothing can be
 * revoked then, but not for longer than `maxAgeMs`: this process may be the only one that is cut off. What expires does so by the clock of this
 * process, so at once.
 */
export interface ApiKeyRing extends AsyncDisposable {
  /** The key that was sent, if it can be used now. Throws what the database says while the keys are not known. */
  find(key: string): Promise<FoundApiKey | undefined>;
  /** Whether there is or ever was a key. Undefined while that is not known. */
  readonly any: boolean | undefined;
  /** Read again now. */
  refresh(): Promise<void>;
  /** `onChange` is called when keys may have changed. Returns how to stop. */
  watch(onChange: () => void): () => void;
}

export interface FoundApiKey {
  check: ApiKeyCheck;
  /** Whether it could still be used, with the same rights. */
  isValid(): boolean;
}

export interface ApiKeyRingOptions {
  /** Default 1 000. */
  pollMs?: number;
  /** Default 15 minutes. */
  maxAgeMs?: number;
  onError?: (error: unknown) => void;
}

interface Held extends ApiKeyCheck {
  /** By `performance.now()`. */
  expiresAt: number;
  previousUntil: number;
}

// A key that is not known may be a new one of which the news is on its way. However many are tried, the table is read once in this time
// for them.
const missMs = 100;
const touchEveryMs = 60_000;
// Those used in this time are noted together.
const gatherMs = 1_000;
// How soon a watcher hears that a key has expired.
const tickMs = 1_000;

const rightsOf = ({ scopes, collections }: ApiKeyCheck) => JSON.stringify([scopes, collections]);

export function createApiKeyRing(
  pool: Pool,
  { pollMs = 1_000, maxAgeMs = 900_000, onError = () => {} }: ApiKeyRingOptions = {},
): ApiKeyRing {
  const db = pool.lane('control');
  const watchers = new Set<() => void>();
  let byId = new Map<string, Held>();
  let any: boolean | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let missedAt = Number.NEGATIVE_INFINITY;

  const tell = () => {
    for (const watcher of watchers) watcher();
  };
  const refresh = createFreshRead(async () => {
    const start = performance.now();
    const read = await readApiKeys(db);
    byId = new Map(
      read.keys.map((key) => {
        const expiresAt = start + (key.expiresMs ?? Number.POSITIVE_INFINITY);
        const previousUntil = start + (key.previousMs ?? Number.NEGATIVE_INFINITY);
        return [key.id, { ...key, expiresAt, previousUntil }];
      }),
    );
    any = read.any;
    readAt = start;
    tell();
  });
  let failing = false;
  /** An outage is told of once, however long it lasts. */
  async function refreshInBackground(): Promise<void> {
    try {
      await refresh();
      failing = false;
    } catch (error) {
      if (!failing) onError(error);
      failing = true;
    }
  }

  let looking: Promise<void> | undefined;
  /** All who ask meanwhile wait for the same read. */
  async function lookAgain(): Promise<void> {
    const now = performance.now();
    if (!looking && now - missedAt > missMs) {
      missedAt = now;
      looking = refreshInBackground().finally(() => {
        looking = undefined;
      });
    }
    await looking;
  }

  function check(id: string, hash: Buffer): Held | undefined {
    const held = byId.get(id);
    const now = performance.now();
    if (!held || now >= held.expiresAt || now - readAt > maxAgeMs) return undefined;
    if (timingSafeEqual(held.hash, hash)) return held;
    const { previousHash, previousUntil } = held;
    return previousHash && timingSafeEqual(previousHash, hash) && now < previousUntil ? held : undefined;
  }

  const touchedAt = new Map<string, number>();
  const used = new Set<string>();
  let touching: NodeJS.Timeout | undefined;
  async function noteUsed(): Promise<void> {
    clearTimeout(touching);
    touching = undefined;
    const ids = [...used];
    used.clear();
    if (ids.length > 0) await touchApiKeys(db, ids);
  }
  function touch(id: string): void {
    const now = performance.now();
    if (now - (touchedAt.get(id) ?? Number.NEGATIVE_INFINITY) < touchEveryMs) return;
    touchedAt.set(id, now);
    used.add(id);
    touching ??= setTimeout(() => void noteUsed().catch(onError), gatherMs).unref();
  }

  const poll = setInterval(() => void refreshInBackground(), pollMs).unref();
  const tick = setInterval(tell, tickMs).unref();

  return {
    get any() {
      return any;
    },
    refresh,
    async find(key) {
      const id = apiKeyIdOf(key);
      if (!id) return undefined;
      if (performance.now() - readAt > maxAgeMs) await refresh();
      else if (!byId.has(id)) await lookAgain();
      const hash = hashApiKey(key);
      const found = check(id, hash);
      if (!found) return undefined;
      touch(id);
      const rights = rightsOf(found);
      const isValid = () => {
        const current = check(id, hash);
        return current !== undefined && rightsOf(current) === rights;
      };
      return { check: found, isValid };
    },
    watch(onChange) {
      watchers.add(onChange);
      return () => void watchers.delete(onChange);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(poll);
      clearInterval(tick);
      watchers.clear();
      // Only a courtesy, and the database may be away.
      await noteUsed().catch(() => {});
    },
  };
}
