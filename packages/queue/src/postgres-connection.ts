import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BackendFactory,
  type PostgresQueueBackend as BullMqBackend,
  createPostgresBackend,
} from 'bullmq';
import { maxConnectionsOf, type PostgresQueueBackend } from './backend.ts';
import type { ConnectionSettings, QueueConnection } from './connection.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
const RETRY_DELAY_MS = 500;

export function openPostgresConnection(
  backend: PostgresQueueBackend,
  settings: ConnectionSettings,
): QueueConnection {
  return {
    connection: {
      connectionString: backend.connectionString,
      schema: backend.schema ?? 'bullmq',
      migrate: settings.migrate,
      max: maxConnectionsOf(backend),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      keepAlive: true,
      application_name: settings.name,
    },
    prefix: undefined,
    factory: createRecoveringBackend as BackendFactory as QueueConnection['factory'],
    ready: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/**
 * BullMQ's Postgres backend with two gaps closed that matter when Postgres is away:
 * - it remembers a failed first connection for ever, so what starts before Postgres would never work;
 * - a worker whose fetch fails with anything but ECONNREFUSED fetches again at once, without a pause.
 */
const createRecoveringBackend: BackendFactory = (name, options, factoryOptions) => {
  const backend = createPostgresBackend(name, options as never, factoryOptions);
  forgetFailedReadiness(backend);
  pauseAfterFailedFetch(backend);
  return backend;
};

interface Readiness {
  readyPromise?: Promise<void> | undefined;
  waitUntilReady(): Promise<void>;
}

function forgetFailedReadiness(backend: BullMqBackend): void {
  const holder = backend as unknown as Readiness & { connection: Readiness };
  for (const target of [holder.connection, holder]) {
    const original = target.waitUntilReady.bind(target);
    target.waitUntilReady = async () => {
      try {
        await original();
      } catch (error) {
        target.readyPromise = undefined;
        throw error;
      }
    };
  }
}

function pauseAfterFailedFetch(backend: BullMqBackend): void {
  const original = backend.moveToActive.bind(backend);
  backend.moveToActive = async (token, name) => {
    try {
      return await original(token, name);
    } catch (error) {
      await sleep(RETRY_DELAY_MS);
      throw error;
    }
  };
}
