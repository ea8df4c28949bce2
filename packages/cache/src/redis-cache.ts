import { Redis } from 'ioredis';
import type { SharedCache } from './cache.ts';
import { createCircuit } from './circuit.ts';
import { withDeadline } from './deadline.ts';
import { CacheError, requireAtLeast } from './errors.ts';
import { createLookupCounter } from './lookup-counter.ts';
import { type ScriptedRedis, scripts } from './redis-scripts.ts';

export interface RedisCacheOptions {
  /** `redis://` or `rediss://`. This Redis may evict: `maxmemory-policy allkeys-lru` suits it. */
  url: string;
  /** Start of every key. Default `sluice:cache:`. */
  prefix?: string;
  /** Longest wait for an answer, in milliseconds; then it is a miss. Default 50. */
  commandTimeoutMs?: number;
  /** Hears connection errors. */
  onError?(error: Error): void;
}

const DEFAULT_PREFIX = 'sluice:cache:';
const DEFAULT_COMMAND_TIMEOUT_MS = 50;
const CONNECT_TIMEOUT_MS = 2_000;
/** A connection that owes an answer for this long is given up and opened anew. */
const SOCKET_TIMEOUT_MS = 5_000;
/** Three lookups may wait for a server that hangs; then it is left alone for a second, and connected to anew. */
const CIRCUIT = { failures: 3, openMs: 1_000 };

/** While Redis is away every lookup is a miss, at once or within `commandTimeoutMs`; it reconnects by itself. */
export function createRedisCache(options: RedisCacheOptions): SharedCache {
  const commandTimeoutMs = options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
  requireAtLeast('commandTimeoutMs', commandTimeoutMs, 1);
  const prefix = options.prefix ?? DEFAULT_PREFIX;
  const circuit = createCircuit(CIRCUIT);
  const client = connect(options.url);
  client.on('error', (error: Error) => options.onError?.(error));
  // A new connection is a reason to try again before the second is over.
  client.on('ready', circuit.succeeded);
  const lookups = createLookupCounter();
  let errors = 0;

  /** Null for any failure. */
  async function attempt<T>(command: () => Promise<T>): Promise<T | null> {
    if (client.status !== 'ready' || !circuit.allows()) {
      errors += 1;
      return null;
    }
    try {
      const answer = await withDeadline(command(), commandTimeoutMs);
      circuit.succeeded();
      return answer;
    } catch {
      errors += 1;
      // Whatever is still to come on it answers commands that nobody waits for any more.
      if (circuit.failed()) client.disconnect(true);
      return null;
    }
  }

  const entryOf = (key: string) => prefix + key;
  const claimOf = (key: string) => `${prefix}claim:${key}`;

  const cache: SharedCache = {
    async get(key) {
      const found = await attempt(() => client.lookUpBuffer(entryOf(key), claimOf(key), '', 0, 0));
      const [value, ttlMs] = found ?? [null, 0];
      lookups.count(key, value ? 'hits' : 'misses');
      return value && { value, ttlMs };
    },
    async getOrClaim(key, { token, ms, renewMs }) {
      const found = await attempt(() =>
        client.lookUpBuffer(entryOf(key), claimOf(key), token, milliseconds(ms), milliseconds(renewMs)),
      );
      const [value, ttlMs, claimed] = found ?? [null, 0, 1];
      lookups.count(key, value ? 'hits' : claimed ? 'misses' : 'busy');
      return { entry: value && { value, ttlMs }, claimed: claimed === 1 };
    },
    async set(key, value, { ttlMs }) {
      await attempt(() => client.set(entryOf(key), bytesOf(value), 'PX', milliseconds(ttlMs)));
    },
    async fill(key, value, { ttlMs, token }) {
      await attempt(() =>
        client.fill(claimOf(key), entryOf(key), token, bytesOf(value), milliseconds(ttlMs)),
      );
    },
    async release(key, token) {
      await attempt(() => client.release(claimOf(key), token));
    },
    stats: () => ({ kinds: lookups.kinds(), errors }),
    async ping() {
      try {
        await withDeadline(client.ping(), commandTimeoutMs);
      } catch (cause) {
        throw new CacheError('cache_unavailable', 'The cache Redis does not answer', { cause });
      }
    },
    async close() {
      if (client.status === 'ready') await client.quit().catch(() => undefined);
      client.disconnect();
    },
    [Symbol.asyncDispose]: () => cache.close(),
  };
  return cache;
}

const milliseconds = (ms: number) => Math.max(Math.ceil(ms), 1);

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function connect(url: string): ScriptedRedis {
  const client: unknown = new Redis(url, {
    scripts,
    connectionName: 'sluice-cache',
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Of what the client asks for by itself when it connects; ours have a deadline of their own.
    commandTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    // A lookup that waits for a connection is worth less than its miss.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
  });
  return client as ScriptedRedis;
}
