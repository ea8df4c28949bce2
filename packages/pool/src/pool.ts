import { setTimeout as sleep } from 'node:timers/promises';
import { type AcquireOptions, createBorrowing } from './borrowing.ts';
import { withinTimers } from './clock.ts';
import type { Connection } from './connection.ts';
import type { BinaryRow, CopyTarget } from './copy.ts';
import { createCounters } from './counters.ts';
import type { Entry } from './entry.ts';
import { endsSession, PoolError, sqlState } from './errors.ts';
import type { PoolEvent } from './events.ts';
import { parseTarget } from './hosts.ts';
import { Lanes } from './lanes.ts';
import { type CopyOptions, createLease, type Lease } from './lease.ts';
import { createListener, type Listener } from './listener.ts';
import { startMaintenance } from './maintenance.ts';
import { createOpener } from './open-connection.ts';
import { type LaneName, type PoolOptions, resolvePoolOptions } from './options.ts';
import type { Queryable, QueryOptions, Result, Row } from './queryable.ts';
import { ResourcePool } from './resource-pool.ts';
import { createSizing } from './sizing.ts';
import { createStallProbe } from './stall-probe.ts';
import { type PoolDurations, type PoolStatus, readDurations, readStatus } from './status.ts';
import { callHook } from './tracer.ts';
import { runTransaction, type Transaction, type TransactionOptions, withRetries } from './transaction.ts';

type Rows = Iterable<BinaryRow> | AsyncIterable<BinaryRow>;

/** One lane of the pool: the same verbs, always on that lane's share. */
export interface Lane extends Queryable {
  /** Waits for a connection. `signal` covers the wait, not what is done with the connection. */
  acquire(options?: AcquireOptions): Promise<Lease>;
  /**
   * Lends a connection to `fn` and always takes it back; an open transaction is rolled back. `signal` covers the wait
   * and every statement.
   */
  session<T>(fn: (lease: Lease) => Promise<T>, options?: AcquireOptions): Promise<T>;
  /**
   * Runs `fn` between BEGIN and COMMIT, and again after serialization failures and deadlocks, so `fn` must not have other
   * effects. Any error rolls back and is thrown on.
   */
  transaction<T>(
    fn: (transaction: Transaction) => Promise<T>,
    options?: TransactionOptions & AcquireOptions,
  ): Promise<T>;
  copyFrom(target: CopyTarget, rows: Rows, options?: CopyOptions & AcquireOptions): Promise<number>;
}

export interface Pool extends Queryable, AsyncDisposable {
  lane(name: LaneName): Lane;
  /** For what looks after the database, such as `testConnection`. */
  readonly controlLane: LaneName;
  acquire(lane: LaneName, options?: AcquireOptions): Promise<Lease>;
  session<T>(lane: LaneName, fn: (lease: Lease) => Promise<T>, options?: AcquireOptions): Promise<T>;
  transaction<T>(
    lane: LaneName,
    fn: (transaction: Transaction) => Promise<T>,
    options?: TransactionOptions & AcquireOptions,
  ): Promise<T>;
  copyFrom(
    lane: LaneName,
    target: CopyTarget,
    rows: Rows,
    options?: CopyOptions & AcquireOptions,
  ): Promise<number>;
  /** A connection of its own that LISTENs and reconnects by itself. Not taken from the lanes; the budget counts it. */
  listen(channel: string, onPayload: (payload: string) => void): Listener;
  status(): PoolStatus;
  /** Durations since the start, for histograms: of opening connections, of waiting for one, of keeping it. */
  durations(): PoolDurations;
  /** One round trip on the control lane. Never rejects. */
  testConnection(): Promise<{ healthy: boolean; latencyMs: number; error?: string }>;
  /**
   * Changes the size while in use. Growing serves waiters at once; shrinking closes idle connections, and used ones when
   * they come back. Under a budget this is the most it may use of its share.
   */
  resize(size: number, maxOverflow: number): void;
  /**
   * Resolves when the fleet's budget has been joined and, with `minIdle`, a first connection works. Rejects with what is in
   * the way of the first attempt; the pool goes on trying.
   */
  ready(): Promise<void>;
  /** Lends nothing more, waits for borrowers until the deadline, then cuts what is left. Safe to call twice. */
  drain(deadlineMs?: number): Promise<void>;
}

const testTimeoutMs = 5_000;
const leaveWithinMs = 3_000;

export function createPool(poolOptions: PoolOptions): Pool {
  const options = resolvePoolOptions(poolOptions);
  const { clock } = options;
  const counters = createCounters(Object.keys(options.lanes), clock);
  const hook = poolOptions.onEvent;
  const emit = hook ? (event: PoolEvent) => callHook(hook, event) : undefined;
  const target = parseTarget(options.connectionString);
  const opener = createOpener(target, { ...options, onEvent: (event) => emit?.(event) });
  const listeners = new Set<Listener>();
  let draining: Promise<void> | undefined;

  const lanes = new Lanes<Connection>({
    lanes: options.lanes,
    now: clock.now,
    overloaded({ name, line }, waitedMs, retryAfterMs) {
      emit?.({ type: 'shed', lane: name, waitedMs, retryAfterMs });
      return new PoolError(
        'overloaded',
        `lane ${name} is overloaded: ${line.size} wait, this one for ${Math.round(waitedMs)} ms; try again in ${retryAfterMs} ms`,
        { retryAfterMs },
      );
    },
  });

  const resources: ResourcePool<Connection> = new ResourcePool<Connection>(
    {
      core: 0,
      max: 0,
      maxOpening: options.maxOpening,
      firstOpenings: 4,
      slowOpeningMs: 1_000,
      overflowDelayMs: options.overflowDelayMs,
      backoff: { firstMs: 50, longestMs: 1_000 },
      lifetimeMs: () => options.recycleMs * (0.9 + Math.random() * 0.1),
      async open() {
        const start = clock.now();
        const connection = await opener.open((dead) => {
          if (!resources.discardIdle(dead, 'connection lost')) return;
          counters.invalid += 1;
          emit?.({ type: 'invalidate', connection: dead.id, reason: 'connection lost' });
        });
        counters.opened += 1;
        counters.creates.record(clock.now() - start);
        emit?.({ type: 'connect', connection: connection.id, host: connection.host, port: connection.port });
        return connection;
      },
      async close(connection, reason) {
        if (reason === 'expired') counters.recycled += 1;
        await connection.close();
        counters.closed += 1;
        emit?.({ type: 'close', connection: connection.id, reason });
      },
      onOpenFailed(error) {
        counters.connectFailures += 1;
        emit?.({ type: 'connect_failed', error });
      },
      unavailable: (error) => borrowing.connectFailed(error),
      clock,
      random: Math.random,
    },
    lanes,
  );

  const sizing = createSizing({
    options,
    counters,
    emit,
    held() {
      const { open, opening, closing } = resources.counts();
      return open + opening + closing;
    },
    apply: (core, max) => resources.resize(core, max),
  });
  const borrowing = createBorrowing({ options, resources, counters, emit, refused: () => sizing.refused });
  const maintenance = startMaintenance({
    options,
    resources,
    clock,
    also: (now) => borrowing.reportLeaks(now),
    stalled: createStallProbe({ opener, answerWithinMs: options.connectTimeoutMs }),
  });
  resources.keepOpen(options.minIdle);

  /** A server that was a primary and is a standby now refuses writes on every connection there is. */
  function noticeFailover(entry: Entry<Connection>, error: unknown): void {
    const demoted = sqlState(error) === '25006' && /^(read-write|primary)$/.test(target.session);
    if (demoted) borrowing.suspectAll(entry, 'the server has become read-only');
    if (demoted || endsSession(error)) entry.resource.usable = false;
  }

  async function acquire(
    lane: LaneName,
    acquireOptions?: AcquireOptions,
    signal?: AbortSignal,
  ): Promise<Lease> {
    const entry =
      borrowing.checkOutIdle(lane, acquireOptions) ?? (await borrowing.checkOut(lane, acquireOptions));
    return createLease({
      connection: entry.resource,
      sharedSession: options.sharedSession,
      signal,
      onError: (error) => noticeFailover(entry, error),
      giveBack: () => borrowing.giveBack(entry),
      destroy: (reason) => borrowing.discard(entry, reason),
    });
  }

  async function session<T>(
    lane: LaneName,
    fn: (lease: Lease) => Promise<T>,
    acquireOptions?: AcquireOptions,
  ): Promise<T> {
    await using lease = await acquire(lane, acquireOptions, acquireOptions?.signal);
    return await fn(lease);
  }

  function transaction<T>(
    lane: LaneName,
    fn: (transaction: Transaction) => Promise<T>,
    transactionOptions: TransactionOptions & AcquireOptions = {},
  ): Promise<T> {
    return withRetries(
      () => session(lane, (lease) => runTransaction(lease, fn, transactionOptions), transactionOptions),
      transactionOptions,
    );
  }

  /** The same as a session of one statement, without the lease. */
  async function query<R extends Row>(
    lane: LaneName,
    text: string,
    values?: readonly unknown[],
    queryOptions?: QueryOptions,
  ): Promise<Result<R>> {
    const entry =
      borrowing.checkOutIdle(lane, queryOptions) ?? (await borrowing.checkOut(lane, queryOptions));
    try {
      return await entry.resource.query<R>(text, values, queryOptions);
    } catch (error) {
      noticeFailover(entry, error);
      throw error;
    } finally {
      const cleaned = borrowing.giveBack(entry);
      if (cleaned) await cleaned;
    }
  }

  function copyFrom(lane: LaneName, to: CopyTarget, rows: Rows, copyOptions?: CopyOptions & AcquireOptions) {
    return session(lane, (lease) => lease.copyFrom(to, rows, copyOptions), copyOptions);
  }

  const closedError = () => new PoolError('pool_closed', 'the pool is closed');

  function createLane(name: LaneName): Lane {
    return {
      acquire: (acquireOptions) => acquire(name, acquireOptions),
      session: (fn, acquireOptions) => session(name, fn, acquireOptions),
      transaction: (fn, transactionOptions) => transaction(name, fn, transactionOptions),
      query: <R extends Row>(text: string, values?: readonly unknown[], queryOptions?: QueryOptions) =>
        query<R>(name, text, values, queryOptions),
      copyFrom: (to, rows, copyOptions) => copyFrom(name, to, rows, copyOptions),
    };
  }
  const laneViews = new Map(Object.keys(options.lanes).map((name) => [name, createLane(name)]));

  async function drainNow(deadlineMs: number): Promise<void> {
    maintenance.stop();
    let cut: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      cut = setTimeout(async () => {
        // A borrower that never gives back must not keep the process from ending.
        const cut = [...resources.used()];
        for (const entry of cut) resources.discard(entry, 'drained');
        await Promise.all(cut.map(({ resource }) => resource.close()));
        resolve();
      }, withinTimers(deadlineMs));
    });
    const closed = resources.drain(closedError());
    const deaf = Promise.all([...listeners].map((listener) => listener.close()));
    await Promise.race([Promise.all([closed, deaf]), deadline]);
    clearTimeout(cut);
    // A store that does not answer learns of it by silence.
    await Promise.race([sizing.leave(), sleep(leaveWithinMs, undefined, { ref: false })]);
  }
  const drain = (deadlineMs = 10_000): Promise<void> => {
    draining ??= drainNow(deadlineMs);
    return draining;
  };

  return {
    lane(name) {
      const lane = laneViews.get(name);
      if (!lane) throw new PoolError('unknown_lane', `no lane is named ${name}`);
      return lane;
    },
    controlLane: options.controlLane,
    query: <R extends Row>(text: string, values?: readonly unknown[], queryOptions?: QueryOptions) =>
      query<R>(options.defaultLane, text, values, queryOptions),
    acquire: (lane, acquireOptions) => acquire(lane, acquireOptions),
    session,
    transaction,
    copyFrom,
    listen(channel, onPayload) {
      if (draining) throw closedError();
      const aside = sizing.putAside();
      const listener = createListener({
        channel,
        onPayload,
        open: async (onDead, signal) => {
          await aside.room(signal);
          return await opener.open(onDead);
        },
        onClosed() {
          listeners.delete(listener);
          aside.release();
        },
      });
      listeners.add(listener);
      return listener;
    },
    status: () =>
      readStatus({
        resources,
        lanes,
        counters,
        opener,
        listening: sizing.setAside,
        share: sizing.share,
        now: clock.now(),
      }),
    durations: () => readDurations(counters),
    async testConnection() {
      const start = performance.now();
      const latencyMs = () => performance.now() - start;
      const signal = AbortSignal.timeout(testTimeoutMs);
      try {
        await query(options.controlLane, 'select 1', [], { signal });
        return { healthy: true, latencyMs: latencyMs() };
      } catch (error) {
        return { healthy: false, latencyMs: latencyMs(), error: (error as Error).message };
      }
    },
    resize: (size, maxOverflow) => sizing.resize(size, maxOverflow),
    async ready() {
      await sizing.joined;
      if (options.minIdle > 0) await session(options.controlLane, async () => {});
    },
    drain,
    [Symbol.asyncDispose]: () => drain(),
  };
}
