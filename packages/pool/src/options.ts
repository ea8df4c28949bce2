import type { ConnectionBudget } from './budget/index.ts';
import { type Clock, systemClock, withinTimers } from './clock.ts';
import type { PoolEvent } from './events.ts';
import type { SheddingOptions } from './overload.ts';
import type { PoolTracer } from './tracer.ts';

/** Names of the default lanes, and any other that `lanes` defines. */
export type LaneName = 'interactive' | 'bulk' | 'control' | (string & {});

/** One class of users of the pool. */
export interface LaneOptions {
  /**
   * Connections of the core that no other lane gets, even while this one does not use them. A higher promise means less
   * waiting here and less to borrow for the others. The promises of all lanes together fit into the core.
   */
  guaranteed: number;
  /** Most connections this lane may hold at once. Default: no limit beyond that of the pool and the others' promises. */
  max?: number;
  /** Who goes first when several lanes wait: lower goes first. */
  priority: number;
  /** Most borrowers in line; one more is sent away with `overloaded`. Default: no limit. */
  maxWaiting?: number;
  /** How long a borrower of this lane waits, in ms. Default: `acquireTimeoutMs` of the pool. */
  acquireTimeoutMs?: number;
  /**
   * Send borrowers away early while the line only grows, and serve the newest first meanwhile. Default: strict order
   * of arrival, and nobody is sent away before the deadline.
   */
  shedding?: SheddingOptions;
}

export interface PoolOptions {
  /**
   * `postgres://user:password@host:port/database`. Several hosts, `host1:port1,host2:port2`, are tried in turn, and the
   * parameter `target_session_attrs` says which is taken: `any` (default), `read-write` or `primary`, `read-only`,
   * `standby`, `prefer-standby`.
   */
  connectionString: string;
  /** The core: connections that stay open once they were needed. Default 20. More means fewer waits and more memory of the server. */
  size?: number;
  /** Connections opened beyond `size` under load, closed when given back and nobody waits. Default 30. */
  maxOverflow?: number;
  /** Connections opened at once when the pool is made and kept while it is idle. Default 0: the first users wait for them. */
  minIdle?: number;
  /** How long a borrower waits for a connection, in ms. Default 30 000. Shorter fails faster under load, longer rides out more. */
  acquireTimeoutMs?: number;
  /**
   * Overflow is opened once the head of the line has waited this long and nothing came back meanwhile, in ms. Default 50.
   * While others are being served, one is opened when one head after the other has been late for as long again, and then one
   * at a time. Shorter answers a burst sooner, longer spares the server connections that would serve one query.
   */
  overflowDelayMs?: number;
  /**
   * Most connections being opened at once. Default 16. A cold pool begins with 4 and then opens at most as many as are open already,
   * so that it doubles with each connect time. More fills it sooner, and hits a server that restarts harder.
   */
  maxOpening?: number;
  /** How long opening one connection may take, for each host, in ms. Default 10 000. */
  connectTimeoutMs?: number;
  /** While nothing is open and connecting fails, how long a borrower waits for the attempt under way, in ms. Default 1 000. */
  failFastMs?: number;
  /** Age at which a connection is replaced, in ms, less up to 10 % of jitter. Default 3 600 000. */
  recycleMs?: number;
  /** A connection that was idle for this long is closed, down to `minIdle`, in ms. Default 600 000; 0: never. */
  idleTimeoutMs?: number;
  /** Validate a connection before hand-out when it has been idle for longer than `prePingIdleMs`. Default true. */
  prePing?: boolean;
  /** In ms. Default 1 000. 0 validates every time, for one more round trip. */
  prePingIdleMs?: number;
  /** How long the answer to a ping may take, in ms. Default 2 000. */
  pingTimeoutMs?: number;
  /**
   * When a borrower of a session may have changed it: `detect` (default) looks at the text of its statements and at what
   * the server reports, and resets the session if so; `always` resets after every borrower, for one more round trip before
   * it is lent again; `rollback` only ends open transactions.
   */
  reset?: 'detect' | 'always' | 'rollback';
  /** Report a lease that was held for longer than this, in ms, with the stack of its borrower. Default 0: never. Costs some µs a lease. */
  leakAfterMs?: number;
  /** Named statements kept on each connection, the least recently used goes first. Default 100; 0: none are named. */
  maxStatements?: number;
  /** How long after a cancel request a statement may go on before its connection is closed, in ms. Default 5 000. */
  cancelTimeoutMs?: number;
  /** A statement without any answer for this long has the server probed by a new connection, in ms. Default 30 000; 0: never. */
  stallProbeMs?: number;
  /** Shown in `pg_stat_activity`. Default `sluice`. */
  applicationName?: string;
  /** Server settings of every connection, by name. Default: none beside `jit = off`. */
  settings?: Record<string, string>;
  /**
   * All connections share one server session (PGlite behind its socket): no named statements, no session
   * settings and no reset of them, no COPY, no cancel requests. Default false.
   */
  sharedSession?: boolean;
  /** All lanes by name. Default: `control`, `interactive` and `bulk`, see the README. */
  lanes?: Record<string, LaneOptions>;
  /** Lane of `pool.query`. Default: `interactive` if there is one, else the first. */
  defaultLane?: string;
  /** Lane of `pool.testConnection`. Default: `control` if there is one, else the default lane. */
  controlLane?: string;
  /** Holds a fleet of pools under one limit of the database; it resizes this pool. Default: none. */
  budget?: ConnectionBudget;
  /** Connections to the same database that this process opens outside the pool and its budget has to cover. Default 0. */
  dedicated?: number;
  onEvent?: (event: PoolEvent) => void;
  tracer?: PoolTracer;
  /** For tests. */
  clock?: Clock;
}

export interface ResolvedLane extends Omit<Required<LaneOptions>, 'shedding' | 'acquireTimeoutMs'> {
  acquireTimeoutMs: number;
  shedding: SheddingOptions | undefined;
}

export interface ResolvedPoolOptions
  extends Required<Omit<PoolOptions, 'lanes' | 'onEvent' | 'tracer' | 'budget'>> {
  lanes: Record<string, ResolvedLane>;
  budget: ConnectionBudget | undefined;
  onEvent: (event: PoolEvent) => void;
  tracer: PoolTracer;
}

const interactiveTimeoutMs = 5_000;

/**
 * 40 % of the core is promised to those who wait for an answer, 25 % to bulk work, and one connection to control; the
 * rest is for whoever comes. In a core of two bulk work is promised nothing, so that it leaves one alone; below four,
 * control goes first, but may have to wait for a short query to end.
 */
function defaultLanes(size: number, acquireTimeoutMs: number): Record<string, LaneOptions> {
  return {
    interactive: {
      guaranteed: size < 2 ? 0 : Math.max(1, Math.floor(size * 0.4)),
      priority: 1,
      maxWaiting: 10_000,
      acquireTimeoutMs: Math.min(acquireTimeoutMs, interactiveTimeoutMs),
      shedding: { targetMs: 500, intervalMs: 1_000 },
    },
    bulk: { guaranteed: size < 3 ? 0 : Math.max(1, Math.floor(size * 0.25)), priority: 2 },
    control: { guaranteed: size < 4 ? 0 : 1, max: 2, priority: 0 },
  };
}

export function check(name: string, value: number, least: number, whole = false): number {
  if (value >= least && (!whole || Number.isInteger(value))) return value;
  throw new RangeError(
    `${name} is ${value}: expected ${whole ? 'a whole number' : 'a number'} of at least ${least}`,
  );
}

const resets = ['detect', 'always', 'rollback'] as const;

function checkReset(reset: (typeof resets)[number]): (typeof resets)[number] {
  if (resets.includes(reset)) return reset;
  throw new RangeError(`reset is ${reset}: expected one of ${resets.join(', ')}`);
}

function resolveLane(lane: LaneOptions, acquireTimeoutMs: number): ResolvedLane {
  return {
    guaranteed: lane.guaranteed,
    priority: check('priority of a lane', lane.priority, Number.NEGATIVE_INFINITY),
    max: check(
      'max of a lane',
      lane.max ?? Number.POSITIVE_INFINITY,
      Math.max(1, lane.guaranteed),
      Number.isFinite(lane.max ?? Number.POSITIVE_INFINITY),
    ),
    maxWaiting: check('maxWaiting', lane.maxWaiting ?? Number.POSITIVE_INFINITY, 1),
    acquireTimeoutMs: check('acquireTimeoutMs', lane.acquireTimeoutMs ?? acquireTimeoutMs, 0),
    shedding: lane.shedding && {
      targetMs: check('targetMs of shedding', lane.shedding.targetMs, 1),
      intervalMs: check('intervalMs of shedding', lane.shedding.intervalMs, 1),
    },
  };
}

function resolveLanes(
  options: PoolOptions,
  size: number,
  acquireTimeoutMs: number,
): Record<string, ResolvedLane> {
  const lanes = options.lanes ?? defaultLanes(size, acquireTimeoutMs);
  let guaranteed = 0;
  for (const lane of Object.values(lanes)) {
    guaranteed += check('guaranteed connections of a lane', lane.guaranteed, 0, true);
  }
  if (guaranteed > size) {
    throw new RangeError(
      `lanes guarantee ${guaranteed} connections, but the pool keeps only ${size} (its size)`,
    );
  }
  return Object.fromEntries(
    Object.entries(lanes).map(([name, lane]) => [name, resolveLane(lane, acquireTimeoutMs)]),
  );
}

function pickLane(
  lanes: Record<string, unknown>,
  asked: string | undefined,
  usual: string,
  fallback?: string,
): string {
  const name =
    asked ?? (Object.hasOwn(lanes, usual) ? usual : (fallback ?? (Object.keys(lanes)[0] as string)));
  if (Object.hasOwn(lanes, name)) return name;
  throw new RangeError(`no lane is named ${name}: there are ${Object.keys(lanes).join(', ') || 'none'}`);
}

export function resolvePoolOptions(options: PoolOptions): ResolvedPoolOptions {
  const size = check('size', options.size ?? 20, 1, true);
  const acquireTimeoutMs = check('acquireTimeoutMs', options.acquireTimeoutMs ?? 30_000, 0);
  const sharedSession = options.sharedSession ?? false;
  const lanes = resolveLanes(options, size, acquireTimeoutMs);
  const defaultLane = pickLane(lanes, options.defaultLane, 'interactive');
  return {
    connectionString: options.connectionString,
    size,
    maxOverflow: check('maxOverflow', options.maxOverflow ?? 30, 0, true),
    minIdle: Math.min(size, check('minIdle', options.minIdle ?? 0, 0, true)),
    acquireTimeoutMs,
    overflowDelayMs: check('overflowDelayMs', options.overflowDelayMs ?? 50, 0),
    maxOpening: check('maxOpening', options.maxOpening ?? 16, 1, true),
    connectTimeoutMs: withinTimers(check('connectTimeoutMs', options.connectTimeoutMs ?? 10_000, 1)),
    failFastMs: check('failFastMs', options.failFastMs ?? 1_000, 0),
    recycleMs: check('recycleMs', options.recycleMs ?? 3_600_000, 1),
    idleTimeoutMs: check('idleTimeoutMs', options.idleTimeoutMs ?? 600_000, 0),
    prePing: options.prePing ?? true,
    prePingIdleMs: check('prePingIdleMs', options.prePingIdleMs ?? 1_000, 0),
    pingTimeoutMs: withinTimers(check('pingTimeoutMs', options.pingTimeoutMs ?? 2_000, 1)),
    // What one resets there, everybody loses.
    reset: sharedSession ? 'rollback' : checkReset(options.reset ?? 'detect'),
    leakAfterMs: check('leakAfterMs', options.leakAfterMs ?? 0, 0),
    maxStatements: sharedSession ? 0 : check('maxStatements', options.maxStatements ?? 100, 0, true),
    cancelTimeoutMs: withinTimers(check('cancelTimeoutMs', options.cancelTimeoutMs ?? 5_000, 1)),
    stallProbeMs: check('stallProbeMs', options.stallProbeMs ?? 30_000, 0),
    applicationName: options.applicationName ?? 'sluice',
    settings: sharedSession ? { ...options.settings } : { jit: 'off', ...options.settings },
    sharedSession,
    lanes,
    defaultLane,
    controlLane: pickLane(lanes, options.controlLane, 'control', defaultLane),
    budget: options.budget,
    dedicated: check('dedicated', options.dedicated ?? 0, 0, true),
    onEvent: options.onEvent ?? (() => {}),
    tracer: options.tracer ?? {},
    clock: options.clock ?? systemClock,
  };
}
