import { Queue } from 'bullmq';
import type { QueueBackend } from './backend.ts';
import { openConnection } from './connection.ts';

/**
 * Creates or upgrades what the backend needs before producers and consumers start. Any number of processes may call it at
 * once: BullMQ holds an advisory lock and does everything in one transaction. Nothing to do on Redis.
 * Throws what Postgres says, when it cannot be reached or the role may not create the schema.
 */
export async function migrateQueue(backend: QueueBackend): Promise<void> {
  if (backend.kind === 'redis') return;
  // What goes wrong reaches the caller through `waitUntilReady`.
  const connection = openConnection(backend, { name: 'sluice-migrate', migrate: true, onError: ignore });
  const queue = new Queue('migration', { connection: connection.connection }, connection.factory);
  queue.on('error', ignore);
  try {
    await queue.waitUntilReady();
  } finally {
    await queue.close();
    await connection.close();
  }
}

function ignore(): void {}
