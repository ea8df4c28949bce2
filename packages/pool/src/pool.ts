import {
  type Connection,
  openConnection,
  type Queryable,
  type QueryOptions,
  type Result,
  type Row,
} from './connection.ts';
import type { BinaryRow, CopyTarget } from './copy.ts';
import { PoolError } from './errors.ts';
import { mayTake } from './lanes.ts';
import { createLease, type Lease } from './lease.ts';
import { createListener, type Listener } from './listener.ts';
import { type LaneName, type PoolOptions, resolvePoolOptions } from './options.ts';
import { createResourcePool, type Entry } from './resource-pool.ts';
import type { PoolStatus } from './status.ts';
import { isRetryable, runTransaction, type Transaction, type TransactionOptions } from './transaction.ts';

export interface AcquireOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** One lane of the pool: the same verbs, always on that lane's share. */
export interface Lane extends Queryable {
  acquire(options?: AcquireOptions): Promise<Lease>;
  /** Lends a connection to `fn` and always takes it back; an open transaction is rolled back. */
  session<T>(fn: (lease: Lease) => Promise<T>, options?: AcquireOptions): Promise<T>;
  transaction<T>(
    fn: (transaction: Transaction) => Promise<T>,
    options?: TransactionOptions & AcquireOptions,
  ): Promise<T>;
  copyFrom(target: CopyTarget, rows: Iterable<BinaryRow> | AsyncIterable<BinaryRow>): Promise<number>;
}

export interface Pool extends Queryable, AsyncDisposable {
  lane(name: LaneName): Lane;
  /** A connection of its own that LISTENs and reconnects by itself. It is not taken from the pool's share. */
  listen(channel: string, onPayload: (payload: string) => void): Listener;
  status(): PoolStatus;
  /** One round trip on the control lane. */
  testConnection(): Promise<{ healthy: boolean; latencyMs: number; error?: string }>;
  /** Lends nothing more, waits for borrowers until the deadline, then cuts what is left. Safe to call twice. */
  drain(deadlineMs?: number): Promise<void>;
}

function jittered(ms: number): number {
  return ms * (0.9 + Math.random() * 0.1);
}

export function createPool(poolOptions: PoolOptions): Pool {
  const options = resolvePoolOptions(poolOptions);
  const total = options.size + options.maxOverflow;
  let lastConnectError: unknown;
  let invalid = 0;
  let draining: Promise<void> | undefined;
  const lentOut = new Set<Connection>();
  const listeners = new Set<Listener>();

  const resources = createResourcePool<Connection>({
    core: options.size,
    overflow: options.maxOverflow,
    async open() {
      const connection = await openConnection(options);
      options.onEvent({ type: 'connect', connection: connection.id });
      return connection;
    },
    close(connection) {
      connection.close();
      options.onEvent({ type: 'close', connection: connection.id });
    },
    mayTake: (lane, held) => mayTake(lane, held, options.lanes, total),
    priority: (lane) => options.lanes[lane as LaneName].priority,
    onOpenFailed(error) {
      lastConnectError = error;
      options.onEvent({ type: 'connect_failed', error });
    },
  });

  function timeoutError(lane: LaneName, timeoutMs: number): PoolError {
    const { inUse, idle, waiting } = resources.counts();
    const last = lastConnectError ? `; last connect error: ${(lastConnectError as Error).message}` : '';
    return new PoolError(
      'acquire_timeout',
      `no connection for lane ${lane} within ${timeoutMs} ms: ${inUse} in use, ${idle} idle, ${waiting} waiting, ` +
        `limit ${options.size} + ${options.maxOverflow}${last}. Raise DB_POOL_SIZE or DB_MAX_OVERFLOW, or shorten what holds them.`,
      { cause: lastConnectError },
    );
  }

  function checkOut(lane: LaneName, { signal, timeoutMs = options.acquireTimeoutMs }: AcquireOptions) {
    const aborted = () =>
      new PoolError('acquire_aborted', 'waiting for a connection was aborted', { cause: signal?.reason });
    if (signal?.aborted) throw aborted();
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    const entry = resources.acquire(lane, (cancel) => {
      timer = setTimeout(() => cancel(timeoutError(lane, timeoutMs)), timeoutMs);
      onAbort = () => cancel(aborted());
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    return entry
      .catch((error: unknown) => {
        if (error instanceof PoolError) throw error;
        const message = `cannot connect to the database: ${(error as Error).message || (error as { code?: string }).code}`;
        throw new PoolError('connect_failed', message, { cause: error });
      })
      .finally(() => {
        clearTimeout(timer);
        if (onAbort) signal?.removeEventListener('abort', onAbort);
      });
  }

  function invalidate(entry: Entry<Connection>, reason: string): void {
    invalid += 1;
    options.onEvent({ type: 'invalidate', connection: entry.resource.id, reason });
    resources.release(entry, false);
  }

  /** False when the connection turned out to be dead: then all older ones are suspects and go too. */
  async function isAlive(entry: Entry<Connection>): Promise<boolean> {
    const { resource } = entry;
    if (!resource.usable) return false;
    if (!options.prePing || performance.now() - entry.idleSince < options.prePingIdleMs) return true;
    try {
      await resource.ping();
      return true;
    } catch {
      resources.retireOpenedBefore(performance.now());
      return false;
    }
  }

  async function acquire(lane: LaneName, acquireOptions: AcquireOptions = {}): Promise<Lease> {
    if (!(lane in options.lanes)) throw new PoolError('unknown_lane', `no lane is named ${lane}`);
    for (;;) {
      const entry = await checkOut(lane, acquireOptions);
      if (!(await isAlive(entry))) {
        invalidate(entry, 'dead before hand-out');
        continue;
      }
      const connection = entry.resource;
      lentOut.add(connection);
      options.onEvent({ type: 'checkout', connection: connection.id, lane });
      return createLease(connection, options.sharedSession, (keep, reason) => {
        lentOut.delete(connection);
        options.onEvent({ type: 'checkin', connection: connection.id, lane });
        if (!keep) return invalidate(entry, reason ?? 'connection lost');
        const expired = performance.now() - entry.openedAt > jittered(options.recycleMs);
        resources.release(entry, !expired);
      });
    }
  }

  function createLane(name: LaneName): Lane {
    async function session<T>(fn: (lease: Lease) => Promise<T>, acquireOptions?: AcquireOptions): Promise<T> {
      await using lease = await acquire(name, acquireOptions);
      return await fn(lease);
    }
    async function transaction<T>(
      fn: (transaction: Transaction) => Promise<T>,
      { isolation, retries = 3, ...acquireOptions }: TransactionOptions & AcquireOptions = {},
    ): Promise<T> {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await session((lease) => runTransaction(lease, fn, isolation), acquireOptions);
        } catch (error) {
          if (attempt >= retries || !isRetryable(error)) throw error;
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * 2 ** attempt));
        }
      }
    }
    return {
      acquire: (acquireOptions) => acquire(name, acquireOptions),
      session,
      transaction,
      query: <R extends Row>(
        text: string,
        values?: readonly unknown[],
        queryOptions?: QueryOptions,
      ): Promise<Result<R>> => session((lease) => lease.query<R>(text, values, queryOptions)),
      copyFrom: (target, rows) => session((lease) => lease.copyFrom(target, rows)),
    };
  }

  const lanes: Record<LaneName, Lane> = {
    interactive: createLane('interactive'),
    bulk: createLane('bulk'),
    control: createLane('control'),
  };

  async function drainNow(deadlineMs: number): Promise<void> {
    await Promise.all([...listeners].map((listener) => listener.close()));
    let cut: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      cut = setTimeout(() => {
        for (const connection of lentOut) connection.close();
        // A borrower that never gives back must not keep the process from ending.
        resolve();
      }, deadlineMs);
    });
    await Promise.race([resources.drain(new PoolError('pool_closed', 'the pool is closed')), deadline]);
    clearTimeout(cut);
  }
  const drain = (deadlineMs = 10_000): Promise<void> => {
    draining ??= drainNow(deadlineMs);
    return draining;
  };

  return {
    lane: (name) => lanes[name],
    query: lanes.interactive.query,
    listen(channel, onPayload) {
      const listener = createListener(options, channel, onPayload, () => listeners.delete(listener));
      listeners.add(listener);
      return listener;
    },
    status() {
      const { open, idle, inUse, opening, waiting } = resources.counts();
      const laneStatus = (name: LaneName) => ({
        checked_out: resources.held().get(name) ?? 0,
        waiting: resources.waitingIn(name),
        guaranteed: options.lanes[name].guaranteed,
        max: options.lanes[name].max,
      });
      return {
        pool_size: options.size,
        max_overflow: options.maxOverflow,
        checked_in: idle,
        checked_out: inUse,
        overflow: Math.max(0, open - options.size),
        opening,
        waiting,
        invalid,
        lanes: {
          interactive: laneStatus('interactive'),
          bulk: laneStatus('bulk'),
          control: laneStatus('control'),
        },
      };
    },
    async testConnection() {
      const start = performance.now();
      try {
        await lanes.control.session((lease) => lease.query('select 1'), { timeoutMs: 5_000 });
        return { healthy: true, latencyMs: performance.now() - start };
      } catch (error) {
        return { healthy: false, latencyMs: performance.now() - start, error: (error as Error).message };
      }
    },
    drain,
    [Symbol.asyncDispose]: () => drain(),
  };
}
