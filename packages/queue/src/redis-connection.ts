import { createRedisBackend } from 'bullmq';
import { Redis } from 'ioredis';
import type { RedisQueueBackend } from './backend.ts';
import type { ConnectionSettings, QueueConnection } from './connection.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** One client for all queues of a producer; a worker duplicates it for its blocking reads. */
export function openRedisConnection(
  backend: RedisQueueBackend,
  settings: ConnectionSettings,
): QueueConnection {
  const client = new Redis(backend.url, {
    connectionName: settings.name,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // BullMQ demands it of workers. Producers do without ioredis's own bound too, because a failed first INFO
    // would break BullMQ's connection for good; their calls are bounded by `ready` and a deadline instead.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
  });
  client.on('error', settings.onError);
  return {
    connection: client,
    prefix: backend.prefix,
    factory: createRedisBackend,
    ready: createReadiness(client),
    async close() {
      if (client.status === 'ready') await client.quit().catch(() => undefined);
      client.disconnect();
    },
  };
}

/** One wait at a time for all callers, so that a long outage does not pile up listeners. */
function createReadiness(client: Redis): () => Promise<void> {
  let pending: Promise<void> | undefined;
  return () => {
    if (client.status === 'ready') return Promise.resolve();
    pending ??= untilReady(client).finally(() => {
      pending = undefined;
    });
    return pending;
  };
}

function untilReady(client: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    const ready = () => {
      client.off('end', ended);
      resolve();
    };
    const ended = () => {
      client.off('ready', ready);
      reject(new Error('Redis connection is closed'));
    };
    client.once('ready', ready);
    client.once('end', ended);
  });
}
