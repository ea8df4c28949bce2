import { QueueError } from './errors.ts';

/** Where jobs live. Everything else in this package is the same on each of them. */
export type QueueBackend = RedisQueueBackend | PostgresQueueBackend;

export interface RedisQueueBackend {
  readonly kind: 'redis';
  /** `redis://` or `rediss://`. The server must run with `maxmemory-policy noeviction`. */
  readonly url: string;
  /** Start of every key. Default `bull`. */
  readonly prefix?: string;
}

export interface PostgresQueueBackend {
  readonly kind: 'postgres';
  /** Must reach Postgres itself, not PgBouncer: BullMQ sets `search_path` at startup and workers LISTEN. */
  readonly connectionString: string;
  /** Schema of BullMQ's tables and functions. Default `bullmq`. */
  readonly schema?: string;
  /**
   * Most connections of the query pool of one producer queue or one consumer. A consumer holds one more, for
   * LISTEN. Default 2.
   */
  readonly maxConnections?: number;
  /**
   * All connections share one backend session, as with PGlite behind a socket. A NOTIFY then comes out at the
   * connection that sent it, unless the socket server passes it on, so consumers also poll; and `search_path` must
   * already start with `schema` on that session.
   */
  readonly sharedSession?: boolean;
}

/** How often a consumer looks for jobs where NOTIFY may not reach it. Four short queries each time. */
export const SHARED_SESSION_POLL_MS = 200;

const DEFAULT_MAX_CONNECTIONS = 2;

/** Most connections that producers and consumers open to Postgres, beside any pool; none when jobs live in Redis. */
export function databaseConnections(
  backend: QueueBackend,
  { producers, consumers }: { producers: number; consumers: number },
): number {
  if (backend.kind === 'redis') return 0;
  const each = maxConnectionsOf(backend);
  return producers * each + consumers * (each + 1);
}

export function maxConnectionsOf(backend: PostgresQueueBackend): number {
  return backend.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
}

export function assertBackend(backend: QueueBackend): void {
  const address = backend.kind === 'redis' ? backend.url : backend.connectionString;
  const expected = backend.kind === 'redis' ? /^rediss?:\/\//u : /^postgres(ql)?:\/\//u;
  if (!expected.test(address)) {
    // The address may hold a password, so it is not repeated here.
    throw new QueueError(
      'queue_invalid_option',
      `The ${backend.kind} queue backend needs a URL like ${expected.source}`,
    );
  }
  if (backend.kind === 'postgres' && backend.maxConnections !== undefined && !(backend.maxConnections >= 1)) {
    throw new QueueError(
      'queue_invalid_option',
      `maxConnections must be at least 1, got ${backend.maxConnections}`,
    );
  }
}
