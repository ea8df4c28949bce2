import {
  type ConnectionBudget,
  createMirroredBudget,
  createPool,
  createReadRouter,
  createServerBudget,
  createStaticBudget,
  type Pool,
  type PoolEvent,
  type PoolOptions,
  type PoolTracer,
  type Queryable,
  type ReadRouter,
  type ReadRouterOptions,
  type RedisScripts,
} from '@sluice/pool';

export interface DatabaseOptions {
  connectionString: string;
  pool: Omit<PoolOptions, 'connectionString' | 'applicationName' | 'budget' | 'onEvent' | 'dedicated'>;
  applicationName: string;
  /** Connections to this server that the process opens outside the pool. */
  dedicated: number;
  budget: {
    driver: 'redis' | 'postgres' | 'static' | 'none';
    /** Needed by `redis`. */
    redis?: RedisScripts | undefined;
    limit: number | undefined;
    reserve: number;
    /** Needed by `static`, with `limit`. */
    members: number | undefined;
    name: string;
    /** Against the weights of other processes. */
    weight: number;
  };
  reads: { urls: readonly string[]; maxLagMs: number };
  onEvent(event: PoolEvent): void;
  onReplica?: ReadRouterOptions['onChange'];
  /** Of the primary's pool and those of its standbys. */
  tracer?: PoolTracer;
}

/** Events that an operator should see in the log. */
export const notablePoolEvents: readonly PoolEvent['type'][] = [
  'connect_failed',
  'invalidate',
  'retire',
  'shed',
  'leak',
  'setting_ignored',
  'prepared_statements_off',
];

/** One process's way to Postgres: the pool, under the fleet's budget, and reads from standbys where there are some. */
export interface Database {
  pool: Pool;
  /** Searches: the standbys, or the interactive lane. */
  reads: Queryable;
  /** Only with standbys. */
  router: ReadRouter | undefined;
  /** How this process shares the connections of the server; undefined where it does not. */
  budget: ConnectionBudget | undefined;
  /** By name: what is measured of each. */
  pools: Readonly<Record<string, Pick<Pool, 'status' | 'durations'>>>;
  close(): Promise<void>;
}

// Bulk work, an answer, and one for health: with less a process only waits for itself.
const leastPoolSize = 3;

function createBudget(options: DatabaseOptions): { budget?: ConnectionBudget; dedicated: number } {
  const { connectionString, budget, pool, dedicated } = options;
  const { driver, limit, reserve, members, weight } = budget;
  if (driver === 'none') return { dedicated };
  const cap = (pool.size ?? 20) + (pool.maxOverflow ?? 30);
  // One more listens for changes of collections.
  const beside = dedicated + 1;
  if (driver === 'static') {
    const share = { limit: limit as number, reserve, members: members as number, weight };
    return {
      budget: createStaticBudget({ ...share, floor: beside + leastPoolSize, cap: cap + beside }),
      dedicated,
    };
  }
  const own = driver === 'postgres' ? 1 : 0;
  const serverBudget = createServerBudget({
    connectionString,
    applicationName: options.applicationName,
    store:
      driver === 'redis'
        ? { redis: budget.redis as RedisScripts, name: budget.name }
        : { schema: 'sluice_fleet' },
    limit,
    reserve,
    weight,
    floor: beside + own + leastPoolSize,
    cap: cap + beside + own,
  });
  return { budget: serverBudget, dedicated: dedicated + own };
}

export function openDatabase(options: DatabaseOptions): Database {
  const { connectionString, applicationName, reads, onEvent } = options;
  const tracer = options.tracer && { tracer: options.tracer };
  const { budget, dedicated } = createBudget(options);
  const mirrored = budget && createMirroredBudget(budget);
  const pool = createPool({
    ...options.pool,
    ...(mirrored && { budget: mirrored.primary }),
    dedicated,
    connectionString,
    applicationName,
    onEvent,
    ...tracer,
  });
  const router =
    reads.urls.length > 0
      ? createReadRouter({
          primary: pool,
          replicas: reads.urls.map((url) => ({
            ...options.pool,
            ...(mirrored && { budget: mirrored.standby() }),
            connectionString: url,
            applicationName,
            maxOverflow: 0,
            onEvent,
            ...tracer,
          })),
          maxLagMs: reads.maxLagMs,
          ...(options.onReplica && { onChange: options.onReplica }),
        })
      : undefined;
  const standbys = router?.pools.map(({ name, pool: standby }) => [`standby ${name}`, standby]) ?? [];
  return {
    pool,
    router,
    budget,
    pools: { primary: pool, ...Object.fromEntries(standbys) },
    reads: router ?? pool.lane('interactive'),
    async close() {
      await router?.[Symbol.asyncDispose]();
      await pool.drain();
    },
  };
}
