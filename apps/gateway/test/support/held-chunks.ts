import { createPool } from '@sluice/pool';

/** Sees the database of a gateway from outside, and can keep everybody else from the chunks of the default collection. */
export interface Onlooker extends AsyncDisposable {
  /** Nobody reads the chunks until it is disposed of. */
  holdChunks(): Promise<AsyncDisposable>;
  /** Statements of the gateway that wait for `holdChunks` to end. */
  held(): Promise<number>;
  /** Connections of the gateway: of its pool, and of the one that listens. */
  connections(): Promise<number>;
}

export function watchDatabase(url: string): Onlooker {
  const pool = createPool({ connectionString: url, size: 2, maxOverflow: 0, applicationName: 'onlooker' });
  async function count(condition: string): Promise<number> {
    const { rows } = await pool.lane('control').query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity
       where datname = current_database() and application_name = 'sluice-gateway' and ${condition}`,
    );
    return rows[0]?.count ?? 0;
  }
  return {
    async holdChunks() {
      const lease = await pool.lane('interactive').acquire();
      await lease.query('begin');
      await lease.query('lock table sluice.chunks_1 in access exclusive mode');
      return { [Symbol.asyncDispose]: () => lease.release() };
    },
    held: () => count(`state = 'active' and wait_event_type = 'Lock'`),
    connections: () => count('true'),
    [Symbol.asyncDispose]: () => pool.drain(),
  };
}
