import { Redis } from 'ioredis';

// Counting is never worth waiting for: without an answer by then the gateway counts for itself.
const commandTimeout = 100;
// A connection that owes an answer for so long is given up: the network may have lost it without a word.
const socketTimeout = 1_000;

/** For counters: fails at once while there is no connection. */
export function openCountingRedis(url: string, onError: (error: Error) => void): Redis {
  const client = new Redis(url, {
    connectionName: 'sluice-limits',
    commandTimeout,
    socketTimeout,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(50 * times, 500),
  });
  client.on('error', onError);
  return client;
}
