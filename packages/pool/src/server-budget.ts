import {
  type ConnectionBudget,
  createFleetBudget,
  createPostgresStore,
  createRedisStore,
  type FleetBudgetOptions,
  type RedisScripts,
} from './budget/index.ts';
import type { Queryable } from './queryable.ts';
import { createSideConnection } from './side-connection.ts';

const doorMs = 300;

export interface ServerBudgetOptions extends Omit<FleetBudgetOptions, 'store' | 'limit' | 'clock'> {
  /** Of the server whose connections are shared. */
  connectionString: string;
  /** Where the fleet keeps its shares: in Redis, or in tables of that database. */
  store: { redis: RedisScripts; name?: string } | { schema: string };
  /** Connections of the server for all that share it, reserve included. Default: asked of the server. */
  limit?: number | undefined;
  applicationName?: string;
}

export interface ServerBudget extends ConnectionBudget {
  /** Connections that the budget itself keeps open: 1 with its shares in Postgres, else 0. */
  readonly dedicated: number;
}

/** What ordinary users may open: https://www.postgresql.org/docs/current/runtime-config-connection.html */
const limitSql = `select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
  - coalesce(current_setting('reserved_connections', true), '0')::int as "limit"`;

/**
 * The budget of a fleet on one Postgres server, with the limit that the server itself has. Behind PgBouncer the limit is
 * the bouncer's: give it as `limit`.
 */
export function createServerBudget({
  connectionString,
  store,
  limit,
  applicationName = 'sluice-budget',
  ...options
}: ServerBudgetOptions): ServerBudget {
  const side = createSideConnection(connectionString, applicationName);
  const inPostgres = 'schema' in store;
  let joined = false;

  /** Until it has a share, a process borrows from the reserve: for a moment only, and not all at the same one. */
  async function run<T>(use: (connection: Pick<Queryable, 'query'>) => Promise<T>): Promise<T> {
    if (joined) return await side.run(use);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * doorMs));
    try {
      return await side.run(use);
    } finally {
      if (!joined) await side.close();
    }
  }

  async function askLimit(): Promise<number> {
    const { rows } = await run((connection) => connection.query<{ limit: number }>(limitSql));
    return rows[0]?.limit as number;
  }

  const budget = createFleetBudget({
    ...options,
    limit: limit ?? askLimit,
    store: inPostgres
      ? createPostgresStore({
          schema: store.schema,
          run: (use) => run((connection) => use((text, values) => connection.query(text, values))),
        })
      : createRedisStore(store),
  });
  async function leave(): Promise<void> {
    await budget.leave();
    joined = false;
    await side.close();
  }
  return {
    async join(member) {
      const share = await budget.join(member);
      joined = inPostgres;
      return share;
    },
    status: () => budget.status(),
    dedicated: inPostgres ? 1 : 0,
    leave,
    [Symbol.asyncDispose]: leave,
  };
}
