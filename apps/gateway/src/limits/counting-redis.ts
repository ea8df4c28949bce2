import { Redis } from 'ioredis';

// Counting is never worth waiting for: without an answer by then the gateway counts for itself.
const commandTimeout = 100;

/** For counters: fails at once while there is no connection. */
export function openCountingRedis(url: string, onError: (error: Error) => void): Redis {
  const client = new Redis(url, {
    connectionName: 'sluice-limits',
    commandTimeout,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(50 * times, 500),
  });
  client.on('error', onError);
  return client;
}
