import type { Connection } from './connection.ts';
import type { Counters, LaneCounters } from './counters.ts';
import type { DurationsReading } from './duration-totals.ts';
import { messageOf } from './errors.ts';
import type { Quantiles } from './histogram.ts';
import type { LaneState, Lanes } from './lanes.ts';
import type { Opener } from './open-connection.ts';
import type { ResourcePool } from './resource-pool.ts';

export interface LaneStatus {
  checked_out: number;
  waiting: number;
  /** How long who is first in line has waited, in ms; 0 when nobody waits. */
  oldest_wait_ms: number;
  /** What it is promised now; less than configured when the pool was made smaller. */
  guaranteed: number;
  /** Null: no limit of its own. */
  max: number | null;
  /** Sheds: newest first, and those who waited too long are sent away. */
  overloaded: boolean;
  /** Counted since the start. */
  acquired: number;
  timeouts: number;
  shed: number;
  aborted: number;
  /** Of the last one to two minutes, in ms. */
  acquire_wait_ms: Quantiles;
  use_ms: Quantiles;
}

/** A snapshot. Field names are those of the monitoring API; what has no unit is a number of connections. */
export interface PoolStatus {
  /** Core size now: as configured, or less under a budget. */
  pool_size: number;
  max_overflow: number;
  /** Idle, ready to be lent. */
  checked_in: number;
  checked_out: number;
  /** Open beyond the core size. */
  overflow: number;
  opening: number;
  /** Given up, while the server still has them. */
  closing: number;
  waiting: number;
  /** Connections that listen, beside the pool. */
  listening: number;
  /** Counted since the start, as are the following. Closed because they were found broken. */
  invalid: number;
  opened: number;
  closed: number;
  connect_failures: number;
  /** Closed because of their age. */
  recycled: number;
  pings_failed: number;
  timeouts: number;
  shed: number;
  leaks: number;
  resizes: number;
  /** What this pool may hold under the fleet's budget; null without one. */
  budget_share: number | null;
  /** Null while connecting works. */
  last_connect_error: string | null;
  /** A pooler such as PgBouncer is in between. */
  pooled: boolean;
  server_version: string | null;
  lanes: Record<string, LaneStatus>;
}

/** Counted since the start. */
export interface PoolDurations {
  create: DurationsReading;
  lanes: Record<string, { wait: DurationsReading; use: DurationsReading }>;
}

export function readDurations({ creates, lanes }: Counters): PoolDurations {
  const ofLanes = Object.entries(lanes).map(([name, { waits, uses }]) => [
    name,
    { wait: waits.totals.read(), use: uses.totals.read() },
  ]);
  return { create: creates.read(), lanes: Object.fromEntries(ofLanes) };
}

export interface StatusSources {
  resources: ResourcePool<Connection>;
  lanes: Lanes<Connection>;
  counters: Counters;
  opener: Opener;
  listening: number;
  share: number | undefined;
  /** ms */
  now: number;
}

function readLane(lane: LaneState<Connection>, counters: LaneCounters, now: number): LaneStatus {
  const { max } = lane.options;
  const { oldest } = lane.line;
  return {
    checked_out: lane.held,
    waiting: lane.line.size,
    oldest_wait_ms: oldest ? now - oldest.since : 0,
    guaranteed: lane.guaranteed,
    max: Number.isFinite(max) ? max : null,
    overloaded: lane.overload?.overloaded ?? false,
    acquired: counters.acquired,
    timeouts: counters.timeouts,
    shed: lane.shed,
    aborted: counters.aborted,
    acquire_wait_ms: counters.waits.quantiles(),
    use_ms: counters.uses.quantiles(),
  };
}

export function readStatus({
  resources,
  lanes,
  counters,
  opener,
  listening,
  share,
  now,
}: StatusSources): PoolStatus {
  const { open, idle, used, opening, closing, waiting } = resources.counts();
  const ofLanes: Record<string, LaneStatus> = {};
  for (const lane of lanes.all()) {
    ofLanes[lane.name] = readLane(lane, counters.lanes[lane.name] as LaneCounters, now);
  }
  const sum = (field: 'timeouts' | 'shed') =>
    Object.values(ofLanes).reduce((total, lane) => total + lane[field], 0);
  return {
    pool_size: resources.core,
    max_overflow: resources.max - resources.core,
    checked_in: idle,
    checked_out: used,
    overflow: Math.max(0, open - resources.core),
    opening,
    closing,
    waiting,
    listening,
    invalid: counters.invalid,
    opened: counters.opened,
    closed: counters.closed,
    connect_failures: counters.connectFailures,
    recycled: counters.recycled,
    pings_failed: counters.pingsFailed,
    timeouts: sum('timeouts'),
    shed: sum('shed'),
    leaks: counters.leaks,
    resizes: counters.resizes,
    budget_share: share ?? null,
    last_connect_error: resources.isFailing() ? messageOf(resources.lastError) : null,
    pooled: opener.pooled,
    server_version: opener.serverVersion ?? null,
    lanes: ofLanes,
  };
}
