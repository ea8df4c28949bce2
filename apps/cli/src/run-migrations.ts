import { type Config, requireServices } from '@sluice/config';
import { createPool, isTransient } from '@sluice/pool';
import { migrateQueue } from '@sluice/queue';
import { migrate } from '@sluice/store';
import { CliError } from './errors.ts';

/** Without the password: this is shown. */
function addressOf(databaseUrl: string): string {
  // Not by URL: that knows no several hosts.
  return databaseUrl.replace(/^\w+:\/\/(?:[^/?]*@)?/, '').replace(/\?.*$/, '');
}

/** Brings the database, and the queue when it lives there, to the newest version. Returns the migrations applied. */
export async function runMigrations(config: Config): Promise<number[]> {
  const { databaseUrl, queue } = requireServices(config);
  const pool = createPool({
    ...config.pool,
    connectionString: databaseUrl,
    size: 2,
    maxOverflow: 0,
    applicationName: 'sluice-migrate',
  });
  try {
    const applied = await migrate(pool);
    await migrateQueue(queue);
    return applied;
  } catch (cause) {
    if (!isTransient(cause)) throw cause;
    throw new CliError(
      'database_unreachable',
      `cannot reach Postgres at ${addressOf(databaseUrl)}: ${(cause as Error).message}`,
      { cause, advice: ['Is it running, and is DATABASE_URL right?'] },
    );
  } finally {
    await pool.drain();
  }
}
