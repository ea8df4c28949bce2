import { Redis } from 'ioredis';
import type { Cache } from './cache.ts';
import { createCircuit } from './circuit.ts';
import { CacheError, requireAtLeast } from './errors.ts';

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
/** Three lookups may wait for a server that hangs; after that it is left alone for a second. */
const CIRCUIT = { failures: 3, openMs: 1_000 };

/** While Redis is away every lookup is a miss, at once or within `commandTimeoutMs`; it reconnects by itself. */
export function createRedisCache(options: RedisCacheOptions): Cache {
  const commandTimeoutMs = options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
  requireAtLeast('commandTimeoutMs', commandTimeoutMs, 1);
  const prefix = options.prefix ?? DEFAULT_PREFIX;
  const circuit = createCircuit(CIRCUIT);
  const client = connect(options.url, commandTimeoutMs);
  client.on('error', (error: Error) => options.onError?.(error));
  // A new connection is a reason to try again before the second is over.
  client.on('ready', circuit.succeeded);
  let hits = 0;
  let misses = 0;
  let errors = 0;

  /** Null for any failure. */
  async function attempt<T>(command: () => Promise<T>): Promise<T | null> {
    if (client.status !== 'ready' || !circuit.allows()) {
      errors += 1;
      return null;
    }
    try {
      const answer = await command();
      circuit.succeeded();
      return answer;
    } catch {
      errors += 1;
      circuit.failed();
      return null;
    }
  }

  const cache: Cache = {
    async get(key) {
      const value = await attempt(() => client.getBuffer(prefix + key));
      if (value === null) misses += 1;
      else hits += 1;
      return value;
    },
    async set(key, value, { ttlMs }) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      await attempt(() => client.set(prefix + key, bytes, 'PX', Math.max(Math.ceil(ttlMs), 1)));
    },
    async delete(key) {
      await attempt(() => client.unlink(prefix + key));
    },
    stats: () => ({ hits, misses, errors }),
    async ping() {
      try {
        await client.ping();
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

function connect(url: string, commandTimeoutMs: number): Redis {
  return new Redis(url, {
    connectionName: 'sluice-cache',
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeoutMs,
    socketTimeout: SOCKET_TIMEOUT_MS,
    // A lookup that waits for a connection is worth less than its miss.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
  });
}
