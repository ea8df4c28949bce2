import { Redis } from 'ioredis';
import type { QueueBackend } from './backend.ts';
import { withDeadline } from './deadline.ts';
import { QueueError, toError } from './errors.ts';
import { createProducer } from './producer.ts';

const TIMEOUT_MS = 5_000;

/**
 * Looks for settings of the backend under which jobs could get lost, and returns one sentence for each, with what to
 * change. Throws `queue_unavailable` when the backend does not answer within 5 s.
 */
export async function checkQueueBackend(backend: QueueBackend): Promise<string[]> {
  if (backend.kind === 'redis') return checkRedis(backend);
  await using producer = createProducer(backend, { commandTimeoutMs: TIMEOUT_MS });
  await producer.ping();
  return [];
}

async function checkRedis(backend: QueueBackend): Promise<string[]> {
  const policy = await readEvictionPolicy(backend);
  if (policy === undefined || policy === 'noeviction') return [];
  return [
    `Redis runs with maxmemory-policy ${policy} and may evict jobs when memory is short; ` +
      'set maxmemory-policy noeviction on the Redis of the queue',
  ];
}

/**
 * `maxmemory-policy` of the Redis; undefined where it does not say, and without Redis. Throws `queue_unavailable` when it does not answer
 * within 5 s.
 */
export async function readEvictionPolicy(backend: QueueBackend): Promise<string | undefined> {
  if (backend.kind !== 'redis') return undefined;
  const client = new Redis(backend.url, {
    lazyConnect: true,
    retryStrategy: null,
    connectTimeout: TIMEOUT_MS,
  });
  // The rejection of `connect` says the same.
  client.on('error', () => undefined);
  try {
    // INFO, because hosted Redis often forbids CONFIG GET.
    const info = await withDeadline(
      client.connect().then(() => client.info('memory')),
      TIMEOUT_MS,
      'Check of Redis',
    );
    return /^maxmemory_policy:(\S+)/mu.exec(info)?.[1];
  } catch (error) {
    if (error instanceof QueueError) throw error;
    throw new QueueError('queue_unavailable', `Check of Redis: ${toError(error).message}`, { cause: error });
  } finally {
    client.disconnect();
  }
}
