import type { Connection } from './connection.ts';
import type { Counters, LaneCounters } from './counters.ts';
import type { Entry } from './entry.ts';
import { isTransientConnectError, messageOf, PoolError, type PoolPicture } from './errors.ts';
import type { PoolEvent } from './events.ts';
import { LeakDetector, type Origin } from './leak-detector.ts';
import { releasedError } from './lease.ts';
import type { LaneName, ResolvedPoolOptions } from './options.ts';
import type { ResourcePool } from './resource-pool.ts';
import { callHook } from './tracer.ts';
import { Waiter } from './waiter.ts';

export interface AcquireOptions {
  /** Stops waiting. What is being opened meanwhile is for whoever comes next. */
  signal?: AbortSignal | undefined;
  /** Longest wait, in ms. Default: that of the lane. */
  timeoutMs?: number | undefined;
}

export interface BorrowingOptions {
  options: ResolvedPoolOptions;
  resources: ResourcePool<Connection>;
  counters: Counters;
  emit: ((event: PoolEvent) => void) | undefined;
  /** Why nothing may be opened now. */
  refused(): unknown;
}

export interface Borrowing {
  /** The usual case without a promise: a fresh connection is idle. Undefined when `checkOut` has to be asked. */
  checkOutIdle(lane: LaneName, options?: AcquireOptions): Entry<Connection> | undefined;
  checkOut(lane: LaneName, options?: AcquireOptions): Promise<Entry<Connection>>;
  /** A promise only when the session has to be cleaned first, and its borrower to wait for that. Never rejects. */
  giveBack(entry: Entry<Connection>): Promise<void> | undefined;
  discard(entry: Entry<Connection>, reason: string): void;
  /** What is wrong with this one is wrong with all that were opened before. */
  suspectAll(entry: Entry<Connection>, reason: string): void;
  reportLeaks(now: number): void;
  /** The error of a borrower for whom nothing could be opened. */
  connectFailed(error: unknown): PoolError;
}

interface Checkout {
  lane: string;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  since: number;
  origin: Origin | undefined;
}

/** The way of a connection to its borrower and back. */
export function createBorrowing({
  options,
  resources,
  counters,
  emit,
  refused,
}: BorrowingOptions): Borrowing {
  const { clock, tracer } = options;
  const leaks = new LeakDetector<Entry<Connection>>(options.leakAfterMs);
  let retiredAt = Number.NEGATIVE_INFINITY;

  const isLane = (lane: string) => Object.hasOwn(counters.lanes, lane);
  const ofLane = (lane: string) => counters.lanes[lane] as LaneCounters;

  function picture(lane: string): PoolPicture {
    const { used, idle, opening, waiting } = resources.counts();
    return { lane, checkedOut: used, idle, opening, waiting, limit: resources.max };
  }

  function timeoutError({ lane, timeoutMs }: Checkout): PoolError {
    ofLane(lane).timeouts += 1;
    const seen = picture(lane);
    const last = resources.isFailing() ? resources.lastError : undefined;
    const reason = last ? `; last connect error: ${messageOf(last)}` : '';
    return new PoolError(
      'acquire_timeout',
      `no connection for lane ${lane} within ${timeoutMs} ms: ${seen.checkedOut} in use, ${seen.idle} idle, ` +
        `${seen.opening} opening, ${seen.waiting} waiting, limit ${resources.core} + ${resources.max - resources.core}${reason}. ` +
        'Raise the size (DB_POOL_SIZE) or the overflow (DB_MAX_OVERFLOW), or shorten what holds them.',
      { cause: last, picture: seen },
    );
  }

  function abortedError({ lane, signal }: Checkout): PoolError {
    ofLane(lane).aborted += 1;
    return new PoolError('acquire_aborted', 'waiting for a connection was aborted', {
      cause: signal?.reason,
    });
  }

  function connectFailed(error: unknown): PoolError {
    const retryable = isTransientConnectError(error);
    const retryAfterMs = retryable ? Math.ceil(resources.retryInMs()) : undefined;
    const again = retryAfterMs ? `; next attempt in ${retryAfterMs} ms` : '';
    return new PoolError('connect_failed', `cannot connect to the database: ${messageOf(error)}${again}`, {
      cause: error,
      retryable,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }

  const isOutOfReach = () => resources.max === 0 || resources.isProbing();

  function unreachable(): PoolError {
    if (resources.max > 0) return connectFailed(resources.lastError);
    const { state, degraded, share } = options.budget?.status() ?? {};
    return new PoolError(
      'budget_unreachable',
      `this process may open no connection yet: its share of the fleet's budget is ${share ?? 0} (${degraded ?? state ?? 'size 0'})`,
      { cause: refused() ?? resources.lastError, retryAfterMs: options.failFastMs },
    );
  }

  /** Tells `leave` why, once the deadline has passed or the signal is aborted, until the returned function is called. */
  function watch(checkout: Checkout, from: number, leave: (why: () => PoolError) => void): () => void {
    const { signal, timeoutMs, since } = checkout;
    const onAbort = () => leave(() => abortedError(checkout));
    let timer: unknown;
    // Where nothing can be had for now, nobody waits for the whole time; but that may change while they do.
    const watchDeadline = (patience: number, now: number) => {
      const left = Math.max(0, timeoutMs - (now - since));
      timer = clock.setTimeout(
        () => {
          if (left <= patience) leave(() => timeoutError(checkout));
          else if (isOutOfReach()) leave(unreachable);
          else watchDeadline(timeoutMs, clock.now());
        },
        Math.min(left, patience),
      );
    };
    watchDeadline(isOutOfReach() ? options.failFastMs : timeoutMs, from);
    signal?.addEventListener('abort', onAbort, { once: true });
    return () => {
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  }

  /** Settles exactly once: with a connection, by the deadline, by the signal, or with what the pool says. */
  function standInLine(checkout: Checkout, from: number): Promise<Entry<Connection>> {
    const { lane, since, origin } = checkout;
    return new Promise((resolve, reject) => {
      const forget = watch(checkout, from, (why) => {
        // The error is made while they still stand in line, so that it counts them.
        const error = why();
        forget();
        if (resources.cancel(waiter)) reject(error);
      });
      const waiter = new Waiter<Connection>(
        lane,
        from,
        (entry) => {
          forget();
          const fresh = isFresh(entry, entry.takenAt);
          resolve(fresh ? lend(entry, entry.takenAt - since, origin) : proven(entry, checkout));
        },
        (error) => {
          forget();
          reject(error);
        },
      );
      resources.wait(waiter);
    });
  }

  function isFresh({ resource, idleSince }: Entry<Connection>, now: number): boolean {
    return resource.usable && (!options.prePing || now - idleSince < options.prePingIdleMs);
  }

  function suspectAll({ openedAt }: Entry<Connection>, reason: string): void {
    // It was a suspect already, so it says nothing against those that were opened since.
    if (openedAt <= retiredAt) return;
    retiredAt = clock.now();
    emit?.({ type: 'retire', reason });
    resources.retire('retired');
  }

  /** False when it is of no use. One that does not answer makes suspects of all that were opened before. */
  async function validate(entry: Entry<Connection>): Promise<boolean> {
    if (entry.resource.usable) {
      try {
        await entry.resource.ping(options.pingTimeoutMs);
        return true;
      } catch {
        counters.pingsFailed += 1;
        suspectAll(entry, 'a ping failed');
      }
    }
    invalidate(entry, 'dead before hand-out');
    return false;
  }

  /** The borrower may give up while their connection is being validated: then it goes back to the others. */
  function validated(entry: Entry<Connection>, checkout: Checkout): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let gone = false;
      const forget = watch(checkout, clock.now(), (why) => {
        gone = true;
        forget();
        reject(why());
      });
      void validate(entry).then((alive) => {
        if (gone && alive) resources.release(entry);
        forget();
        resolve(alive);
      });
    });
  }

  function find(checkout: Checkout, from: number): Promise<Entry<Connection>> {
    const entry = resources.take(checkout.lane);
    if (!entry) return standInLine(checkout, from);
    return isFresh(entry, entry.takenAt)
      ? Promise.resolve(lend(entry, 0, checkout.origin))
      : proven(entry, checkout);
  }

  async function proven(entry: Entry<Connection>, checkout: Checkout): Promise<Entry<Connection>> {
    const alive = await validated(entry, checkout);
    const now = clock.now();
    if (!alive) {
      if (checkout.signal?.aborted) throw abortedError(checkout);
      return await find(checkout, now);
    }
    if (!resources.closedBy) return lend(entry, now - checkout.since, checkout.origin);
    resources.release(entry);
    throw resources.closedBy;
  }

  function lend(entry: Entry<Connection>, waitedMs: number, origin: Origin | undefined): Entry<Connection> {
    const lane = ofLane(entry.lane);
    lane.acquired += 1;
    lane.waits.record(waitedMs, entry.takenAt);
    leaks.taken(entry, entry.takenAt, origin);
    // What is dead must not count as open until its borrower notices: others would wait instead of being told.
    entry.resource.lane = entry.lane;
    entry.resource.whenDead = () => invalidate(entry, 'connection lost');
    emit?.({ type: 'checkout', connection: entry.resource.id, lane: entry.lane });
    return entry;
  }

  async function findTraced(checkout: Checkout): Promise<Entry<Connection>> {
    const end = callHook(tracer.acquire, { lane: checkout.lane });
    try {
      const entry = await find(checkout, checkout.since);
      callHook(end, { waitedMs: clock.now() - checkout.since, connection: entry.resource.id });
      return entry;
    } catch (error) {
      callHook(end, { waitedMs: clock.now() - checkout.since, error });
      throw error;
    }
  }

  function checkOutIdle(lane: LaneName, borrowing?: AcquireOptions): Entry<Connection> | undefined {
    if (tracer.acquire || borrowing?.signal?.aborted || !isLane(lane)) return undefined;
    const entry = resources.take(lane, isFresh);
    return entry && lend(entry, 0, leaks.here());
  }

  function checkOut(lane: LaneName, { signal, timeoutMs }: AcquireOptions = {}): Promise<Entry<Connection>> {
    if (!isLane(lane)) return Promise.reject(new PoolError('unknown_lane', `no lane is named ${lane}`));
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      return Promise.reject(new RangeError(`timeoutMs is ${timeoutMs}: expected a number of at least 0`));
    }
    const checkout: Checkout = {
      lane,
      signal,
      since: clock.now(),
      origin: leaks.here(),
      timeoutMs: timeoutMs ?? (options.lanes[lane] as { acquireTimeoutMs: number }).acquireTimeoutMs,
    };
    if (signal?.aborted) return Promise.reject(abortedError(checkout));
    const reason = refused();
    if (reason) return Promise.reject(reason);
    return tracer.acquire ? findTraced(checkout) : find(checkout, checkout.since);
  }

  function invalidate(entry: Entry<Connection>, reason: string): void {
    counters.invalid += 1;
    emit?.({ type: 'invalidate', connection: entry.resource.id, reason });
    resources.discard(entry, reason);
  }

  function comeBack(entry: Entry<Connection>): void {
    leaks.returned(entry);
    const now = clock.now();
    ofLane(entry.lane).uses.record(now - entry.takenAt, now);
    emit?.({ type: 'checkin', connection: entry.resource.id, lane: entry.lane });
  }

  function settle(entry: Entry<Connection>): void {
    entry.resource.whenDead = undefined;
    entry.resource.lane = undefined;
    if (entry.resource.usable) resources.release(entry);
    else if (entry.state !== 'closed') invalidate(entry, 'connection lost');
  }

  async function clean(entry: Entry<Connection>): Promise<void> {
    try {
      await entry.resource.reset(options.reset, options.pingTimeoutMs);
    } catch {
      if (entry.state !== 'closed') invalidate(entry, 'reset failed');
      return;
    }
    settle(entry);
  }

  return {
    checkOut,
    checkOutIdle,
    suspectAll,
    giveBack(entry) {
      const { resource } = entry;
      comeBack(entry);
      if (resource.busy) {
        // Its borrower need not wait for it, and nobody else gets it before.
        void resource.quiesce(releasedError()).then(
          () => clean(entry),
          () => settle(entry),
        );
      } else if (resource.pooled && resource.changed && options.reset !== 'rollback') {
        // Settings of a pooler's client cannot be put back for sure, and another client costs it little.
        invalidate(entry, 'session changed behind a pooler');
      } else if (resource.usable && resource.needsReset(options.reset)) return clean(entry);
      else settle(entry);
      return undefined;
    },
    discard(entry, reason) {
      comeBack(entry);
      if (entry.state !== 'closed') invalidate(entry, reason);
    },
    reportLeaks(now) {
      leaks.check(now, (entry, heldMs, stack) => {
        counters.leaks += 1;
        emit?.({ type: 'leak', connection: entry.resource.id, lane: entry.lane, heldMs, stack });
      });
    },
    connectFailed,
  };
}
