import type { Pool } from '@sluice/pool';

export interface LockedChunks extends AsyncDisposable {
  /** Searches that the server is running now: each waits for the lock. */
  searching(): Promise<number>;
}

/** Nobody reads the chunks of the collection until it is disposed of. */
export async function lockChunks(pool: Pool, collectionId: number): Promise<LockedChunks> {
  const lease = await pool.lane('bulk').acquire();
  await lease.query('begin');
  await lease.query(`lock table sluice.chunks_${collectionId} in access exclusive mode`);
  return {
    async searching() {
      const { rows } = await pool.lane('control').query<{ count: number }>(
        `select count(*)::int as count from pg_stat_activity
         where datname = current_database() and state = 'active' and wait_event_type = 'Lock'`,
      );
      return rows[0]?.count ?? 0;
    },
    [Symbol.asyncDispose]: () => lease.release(),
  };
}
