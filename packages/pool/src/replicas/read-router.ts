import { setTimeout as sleep } from 'node:timers/promises';
import { isTransient, PoolError, sqlState } from '../errors.ts';
import { check, type PoolOptions } from '../options.ts';
import type { Pool } from '../pool.ts';
import type { Queryable, QueryOptions, Result, Row } from '../queryable.ts';
import { callHook } from '../tracer.ts';
import { LagClock, type LogPosition, parseLogPosition } from './log-position.ts';
import { createReplica, type Replica } from './replica.ts';

export interface ReadRouterOptions {
  /** Where reads go that no replica can answer, on `primaryLane`. */
  primary: Pool;
  /** Default `interactive`. */
  primaryLane?: string;
  /** Of the pool of each replica; `connectionString` is one standby. Two connections at least: one looks after it. */
  replicas: readonly PoolOptions[];
  /** Oldest state that a replica may show, in ms. Default 1 000. Smaller sends more reads to the primary. */
  maxLagMs?: number;
  /** Between looks at the replicas, in ms. Default 250. Lag is known no better than this. */
  checkIntervalMs?: number;
  /**
   * How long a read may wait for a replica to reach its log position before it goes to the primary, in ms. Default 50.
   */
  waitMs?: number;
  /** Told when a replica comes and goes. */
  onChange?: (change: { replica: string; usable: boolean; reason: string }) => void;
}

export interface ReadRouterStatus {
  replicas: {
    name: string;
    state: 'unknown' | 'up' | 'down' | 'promoted';
    /** Null when it cannot be told. */
    lag_ms: number | null;
    usable: boolean;
    reads: number;
    error: string | null;
  }[];
  /** Reads that went to the primary, by reason. */
  primary_reads: Record<PrimaryReason, number>;
}

export type PrimaryReason = 'asked' | 'none_usable' | 'not_there_yet' | 'replica_failed';

/** Reads that go to replicas where they can. `query` must not write. */
export interface ReadRouter extends Queryable, AsyncDisposable {
  /** Of the replicas, to look at. */
  readonly pools: readonly { name: string; pool: Pick<Pool, 'status' | 'durations'> }[];
  status(): ReadRouterStatus;
  /** Looks at all replicas now, instead of at the next interval. */
  refresh(): Promise<void>;
}

const pollMs = 5;
// Samples of the primary's log, 16 bytes and a little each.
const longestMemory = 100_000;

/**
 * Spreads reads over standbys that are up and fresh enough, the least busy first, and falls back to the primary.
 *
 * `after` on a query gives read-your-writes: a log position of the primary that has to be visible (see `logPosition`), or
 * `primary`. A replica known to have replayed it is taken; else one is asked until `waitMs` have passed; then the primary.
 */
export function createReadRouter(options: ReadRouterOptions): ReadRouter {
  const { primary, primaryLane = 'interactive' } = options;
  const maxLagMs = check('maxLagMs', options.maxLagMs ?? 1_000, 0);
  const checkIntervalMs = check('checkIntervalMs', options.checkIntervalMs ?? 250, 1);
  const waitMs = check('waitMs', options.waitMs ?? 50, 0);
  const checkTimeoutMs = Math.max(1_000, 4 * checkIntervalMs);
  const replicas = options.replicas.map((pool) => createReplica({ pool, checkTimeoutMs }));
  const reads = new Map<Replica, number>(replicas.map((replica) => [replica, 0]));
  const primaryReads: Record<PrimaryReason, number> = {
    asked: 0,
    none_usable: 0,
    not_there_yet: 0,
    replica_failed: 0,
  };
  const lags = new LagClock(Math.min(longestMemory, Math.ceil(maxLagMs / checkIntervalMs) + 240));
  const usable = new Set<Replica>();
  const closing = new AbortController();

  const lagOf = (replica: Replica) => lags.lagMs(performance.now(), replica.replayed);

  function judge(replica: Replica): void {
    const fits = replica.state === 'up' && lagOf(replica) <= maxLagMs;
    if (fits === usable.has(replica)) return;
    if (fits) usable.add(replica);
    else usable.delete(replica);
    const late = replica.state === 'up' ? describeLag(lagOf(replica)) : replica.state;
    const reason = replica.error ?? late;
    callHook(options.onChange, { replica: replica.name, usable: fits, reason });
  }

  async function samplePrimary(): Promise<void> {
    const at = performance.now();
    try {
      const position = await logPosition(primary, AbortSignal.timeout(checkTimeoutMs));
      lags.sample(at, parseLogPosition(position));
    } catch (error) {
      // While it is away nothing is written either: what the replicas had then is as fresh as it gets. One that will
      // never tell, because of missing rights or because it is a standby itself, leaves their age unknown.
      const away = isTransient(error) || (error instanceof PoolError && /_aborted$/.test(error.code));
      if (!away) lags.forget();
    }
  }

  async function refresh(): Promise<void> {
    await Promise.all([samplePrimary(), ...replicas.map((replica) => replica.check())]);
    for (const replica of replicas) judge(replica);
  }

  async function look(): Promise<void> {
    while (!closing.signal.aborted) {
      await refresh();
      await sleep(checkIntervalMs, undefined, { signal: closing.signal, ref: false }).catch(() => {});
    }
  }
  const looking = look();

  /** The least busy of those; of equals, the one that has answered least. */
  function leastBusy(candidates: readonly Replica[]): Replica | undefined {
    const load = (replica: Replica) => {
      const { checked_out, waiting } = replica.pool.status();
      return checked_out + waiting;
    };
    return candidates
      .map((replica) => ({ replica, load: load(replica), reads: reads.get(replica) ?? 0 }))
      .sort((a, b) => a.load - b.load || a.reads - b.reads)[0]?.replica;
  }

  async function reach(
    replica: Replica,
    position: bigint,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const until = performance.now() + waitMs;
    const pause = (ms: number) =>
      sleep(ms, undefined, { signal }).catch(() => {
        throw new PoolError('query_aborted', 'the statement was aborted by its caller', {
          cause: signal?.reason,
        });
      });
    while (replica.replayed < position) {
      const left = until - performance.now();
      if (left <= 0 || replica.state !== 'up') return false;
      await pause(Math.min(pollMs, left));
      await Promise.race([replica.check(), pause(Math.max(0, until - performance.now()))]);
    }
    return true;
  }

  async function choose({ after, signal }: QueryOptions): Promise<Replica | PrimaryReason> {
    if (after === 'primary') return 'asked';
    const fresh = [...usable].filter((replica) => lagOf(replica) <= maxLagMs);
    if (after === undefined) return leastBusy(fresh) ?? 'none_usable';
    const position = parseLogPosition(after);
    const there = leastBusy(fresh.filter((replica) => replica.replayed >= position));
    if (there) return there;
    const next = leastBusy(fresh);
    if (!next) return 'none_usable';
    return (await reach(next, position, signal)) ? next : 'not_there_yet';
  }

  async function query<R extends Row>(
    text: string,
    values?: readonly unknown[],
    queryOptions: QueryOptions = {},
  ): Promise<Result<R>> {
    let chosen = await choose(queryOptions);
    if (typeof chosen !== 'string') {
      try {
        const result = await chosen.pool.query<R>(text, values, queryOptions);
        reads.set(chosen, (reads.get(chosen) ?? 0) + 1);
        return result;
      } catch (error) {
        if (!isReplicasFault(error)) throw error;
        if (isGone(error)) {
          chosen.markDown(error);
          judge(chosen);
        }
        chosen = 'replica_failed';
      }
    }
    primaryReads[chosen] += 1;
    return await primary.lane(primaryLane).query<R>(text, values, queryOptions);
  }

  return {
    pools: replicas.map(({ name, pool }) => ({ name, pool })),
    query,
    refresh,
    status: () => ({
      replicas: replicas.map((replica) => ({
        name: replica.name,
        state: replica.state,
        lag_ms: Number.isFinite(lagOf(replica)) ? Math.round(lagOf(replica)) : null,
        usable: usable.has(replica),
        reads: reads.get(replica) ?? 0,
        error: replica.error ?? null,
      })),
      primary_reads: { ...primaryReads },
    }),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await looking;
      await Promise.all(replicas.map((replica) => replica.pool.drain()));
    },
  };
}

/** Where the primary's log ends now: everything committed until now is before it. */
export async function logPosition(primary: Pool, signal?: AbortSignal): Promise<LogPosition> {
  const sql = 'select pg_current_wal_insert_lsn()::text as position';
  const options = { prepare: true, signal };
  const { rows } = await primary.lane(primary.controlLane).query<{ position: string }>(sql, [], options);
  return rows[0]?.position as LogPosition;
}

function describeLag(lagMs: number): string {
  return Number.isFinite(lagMs) ? `${Math.round(lagMs)} ms behind` : 'how far it is behind is not known';
}

/** Whether the primary may do better: nothing has been written, so it can simply be asked. */
function isReplicasFault(error: unknown): boolean {
  if (error instanceof PoolError && /_aborted$/.test(error.code)) return false;
  // 40001: replay had to remove rows that the query still needed. 42P01: a table that has not arrived yet.
  return isTransient(error) || sqlState(error) === '42P01';
}

function isGone(error: unknown): boolean {
  const state = sqlState(error);
  return error instanceof PoolError
    ? error.code === 'connect_failed'
    : state === undefined || /^(57P0|08)/.test(state);
}
