import { createPool } from '@sluice/pool';
import { migrate } from '@sluice/store';

/** Fills the database that the tests' databases are cloned from. */
export async function migrateTemplate(url: string, kind: 'migrated' | 'plain'): Promise<void> {
  await using pool = createPool({ connectionString: url, size: 2, maxOverflow: 0 });
  if (kind === 'plain') await pool.query('create extension if not exists vector');
  else await migrate(pool);
}
