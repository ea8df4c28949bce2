import { createPool } from '../../src/index.ts';

export interface Backend extends Record<string, unknown> {
  pid: number;
  state: string;
  query: string;
}

/** Asks about, and ends, the server's side of connections, over a connection of its own that it does not report. */
export async function withObserver<T>(url: string, use: (observer: Observer) => Promise<T>): Promise<T> {
  await using pool = createPool({
    connectionString: url,
    size: 1,
    maxOverflow: 0,
    applicationName: 'observer',
  });
  return await use({
    async backends(applicationName) {
      const { rows } = await pool.query<Backend>(
        `select pid, state, query from pg_stat_activity
         where datname = current_database() and application_name = $1::text order by pid`,
        [applicationName],
      );
      return rows;
    },
    async terminate(...pids) {
      await pool.query('select pg_terminate_backend(pid, 5000) from unnest($1::int[]) as pid', [pids]);
    },
  });
}

export interface Observer {
  backends(applicationName: string): Promise<Backend[]>;
  /** Resolves when the processes are gone. */
  terminate(...pids: number[]): Promise<void>;
}
