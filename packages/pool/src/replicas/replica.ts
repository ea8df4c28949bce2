import { messageOf } from '../errors.ts';
import { parseTarget } from '../hosts.ts';
import type { PoolOptions } from '../options.ts';
import { createPool, type Pool } from '../pool.ts';
import { parseLogPosition } from './log-position.ts';

export interface ReplicaOptions {
  pool: PoolOptions;
  /** ms */
  checkTimeoutMs: number;
}

/** One standby, and what was last seen of it. */
export interface Replica {
  readonly name: string;
  readonly pool: Pool;
  readonly state: 'unknown' | 'up' | 'down' | 'promoted';
  /** End of the log that it has applied, as far as known: it may be further. */
  readonly replayed: bigint;
  readonly error: string | undefined;
  /** Asks it. Never rejects. */
  check(): Promise<void>;
  markDown(error: unknown): void;
}

const lanes = {
  interactive: {
    guaranteed: 0,
    priority: 1,
    maxWaiting: 10_000,
    shedding: { targetMs: 500, intervalMs: 1_000 },
  },
  control: { guaranteed: 1, max: 2, priority: 0 },
};

export function createReplica({ pool: poolOptions, checkTimeoutMs }: ReplicaOptions): Replica {
  const pool = createPool({ ...poolOptions, size: Math.max(2, poolOptions.size ?? 20), lanes });
  const { hosts } = parseTarget(poolOptions.connectionString);
  let state: Replica['state'] = 'unknown';
  let replayed = 0n;
  let failure: string | undefined;

  function markDown(error: unknown): void {
    state = 'down';
    failure = messageOf(error);
  }

  return {
    name: hosts.map(({ name }) => name).join(','),
    pool,
    get state() {
      return state;
    },
    get replayed() {
      return replayed;
    },
    get error() {
      return failure;
    },
    async check() {
      try {
        const { rows } = await pool
          .lane('control')
          .query<{ standby: boolean; replayed: string | null }>(
            'select pg_is_in_recovery() as standby, pg_last_wal_replay_lsn()::text as replayed',
            [],
            { signal: AbortSignal.timeout(checkTimeoutMs), prepare: true },
          );
        const row = rows[0];
        // A standby that became a primary has a history of its own: what it shows is not what our primary wrote.
        state = row?.standby ? 'up' : 'promoted';
        replayed = row?.replayed ? parseLogPosition(row.replayed) : 0n;
        failure = undefined;
      } catch (error) {
        markDown(error);
      }
    },
    markDown,
  };
}
