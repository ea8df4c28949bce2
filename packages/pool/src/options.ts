/** One class of users of the pool. */
export interface LaneOptions {
  /** Connections that no other lane can take while this lane has work for them. */
  guaranteed: number;
  /** Most connections this lane may hold at once. Default: core + overflow less the other lanes' guarantees. */
  max?: number;
  /** Who goes first when several lanes wait: lower goes first. */
  priority: number;
}

export type LaneName = 'interactive' | 'bulk' | 'control';

export interface PoolOptions {
  /** `postgres://user:password@host:port/database` */
  connectionString: string;
  /** Connections kept open. Default 20. */
  size?: number;
  /** Connections opened beyond `size` under load and closed when given back. Default 30. */
  maxOverflow?: number;
  /** How long a borrower waits for a connection, in ms. Default 30 000. */
  acquireTimeoutMs?: number;
  /** How long opening one connection may take, in ms. Default 10 000. */
  connectTimeoutMs?: number;
  /** A connection older than this is replaced when it is given back, in ms, with up to 10 % of jitter. Default 3 600 000. */
  recycleMs?: number;
  /** Validate a connection before hand-out when it has been idle for longer than `prePingIdleMs`. Default true. */
  prePing?: boolean;
  /** Default 1 000. */
  prePingIdleMs?: number;
  /** Shown in `pg_stat_activity`. Default `sluice`. */
  applicationName?: string;
  /** Server settings of every connection, by name. Default: none beside `jit = off`. */
  settings?: Record<string, string>;
  /**
   * All connections share one server session (PGlite behind its socket): no named statements, no session
   * settings, no COPY. Default false.
   */
  sharedSession?: boolean;
  lanes?: Partial<Record<LaneName, LaneOptions>>;
  /** Called for every connect, checkout, checkin, invalidate and close. */
  onEvent?: (event: PoolEvent) => void;
}

export interface PoolEvent {
  type: 'connect' | 'checkout' | 'checkin' | 'invalidate' | 'close' | 'connect_failed';
  connection?: number;
  lane?: LaneName;
  reason?: string;
  error?: unknown;
}

export interface ResolvedPoolOptions extends Required<Omit<PoolOptions, 'lanes' | 'onEvent'>> {
  lanes: Record<LaneName, Required<LaneOptions>>;
  onEvent: (event: PoolEvent) => void;
}

/** Lanes that fit a pool of `total` connections: one for control, and a third of the rest promised to each side. */
function defaultLanes(total: number): Record<LaneName, LaneOptions> {
  const share = Math.floor((total - 1) / 3);
  return {
    control: { guaranteed: Math.min(1, total - 1), max: 2, priority: 0 },
    interactive: { guaranteed: share, priority: 1 },
    bulk: { guaranteed: share, priority: 2 },
  };
}

export function resolvePoolOptions(options: PoolOptions): ResolvedPoolOptions {
  const size = options.size ?? 20;
  const maxOverflow = options.maxOverflow ?? 30;
  const total = size + maxOverflow;
  if (size < 1 || maxOverflow < 0)
    throw new RangeError(`pool size ${size} + overflow ${maxOverflow}: at least 1 + 0`);
  const lanes = { ...defaultLanes(total), ...options.lanes };
  const guaranteed = Object.values(lanes).reduce((sum, lane) => sum + lane.guaranteed, 0);
  if (guaranteed > total) {
    throw new RangeError(`lanes guarantee ${guaranteed} connections, but the pool has at most ${total}`);
  }
  const withMax = (lane: LaneOptions): Required<LaneOptions> => ({
    ...lane,
    max: lane.max ?? total - (guaranteed - lane.guaranteed),
  });
  return {
    connectionString: options.connectionString,
    size,
    maxOverflow,
    acquireTimeoutMs: options.acquireTimeoutMs ?? 30_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    recycleMs: options.recycleMs ?? 3_600_000,
    prePing: options.prePing ?? true,
    prePingIdleMs: options.prePingIdleMs ?? 1_000,
    applicationName: options.applicationName ?? 'sluice',
    settings: options.sharedSession ? { ...options.settings } : { jit: 'off', ...options.settings },
    sharedSession: options.sharedSession ?? false,
    lanes: {
      control: withMax(lanes.control),
      interactive: withMax(lanes.interactive),
      bulk: withMax(lanes.bulk),
    },
    onEvent: options.onEvent ?? (() => {}),
  };
}
