import { createPool } from '@sluice/pool';
import { migrateQueue } from '@sluice/queue';
import { migrate } from '@sluice/store';

/** Makes a server of a test's own ready for gateway and worker. */
export async function migrateServer(connectionString: string, queueInPostgres: boolean): Promise<void> {
  await using pool = createPool({ connectionString, size: 1, maxOverflow: 0 });
  await migrate(pool);
  if (queueInPostgres) await migrateQueue({ kind: 'postgres', connectionString });
}
