import type { BackendFactory, RedisQueueBackend } from 'bullmq';
import { assertBackend, type QueueBackend } from './backend.ts';
import { openPostgresConnection } from './postgres-connection.ts';
import { openRedisConnection } from './redis-connection.ts';

/** What BullMQ's classes are built from, on either backend. */
export interface QueueConnection {
  /** The `connection` option of a Queue or Worker. */
  readonly connection: object;
  readonly prefix: string | undefined;
  /**
   * The last constructor argument of a Queue or Worker. Typed as Redis on either backend, because Bull Board's adapters
   * ask for such queues; nothing here uses more than what all backends have.
   */
  readonly factory: BackendFactory<RedisQueueBackend>;
  /** Resolves once commands can be sent without being queued in this process. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

export interface ConnectionSettings {
  /** Shown to the server's administrator. */
  name: string;
  migrate: boolean;
  onError(error: Error): void;
}

export function openConnection(backend: QueueBackend, settings: ConnectionSettings): QueueConnection {
  assertBackend(backend);
  return backend.kind === 'redis'
    ? openRedisConnection(backend, settings)
    : openPostgresConnection(backend, settings);
}
