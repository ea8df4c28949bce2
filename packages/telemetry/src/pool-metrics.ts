import type { Registry } from 'prom-client';
import { type HistogramReading, type Labels, readCounter, readGauge, readHistogram } from './reading.ts';

/** What is read of a pool's status. */
export interface PoolReading {
  pool_size: number;
  max_overflow: number;
  checked_in: number;
  overflow: number;
  opening: number;
  opened: number;
  closed: number;
  recycled: number;
  invalid: number;
  connect_failures: number;
  pings_failed: number;
  leaks: number;
  budget_share: number | null;
  lanes: Readonly<Record<string, LaneReading>>;
}

interface LaneReading {
  checked_out: number;
  waiting: number;
  oldest_wait_ms: number;
  guaranteed: number;
  overloaded: boolean;
  acquired: number;
  timeouts: number;
  shed: number;
  aborted: number;
}

export interface MeteredPool {
  status(): PoolReading;
  durations(): {
    create: HistogramReading;
    lanes: Readonly<Record<string, { wait: HistogramReading; use: HistogramReading }>>;
  };
}

const pool = 'db_client_connection_pool_name';
const state = 'db_client_connection_state';

/**
 * Of one process's pools, by name. Read when they are asked for. The names are OpenTelemetry's, in Prometheus' spelling; `lane` is ours.
 * https://opentelemetry.io/docs/specs/semconv/database/database-metrics/
 */
export function registerPoolMetrics(registry: Registry, pools: Readonly<Record<string, MeteredPool>>): void {
  function* ofPools(value: (reading: PoolReading) => number | null): Generator<[Labels, number]> {
    for (const [name, each] of Object.entries(pools)) {
      const found = value(each.status());
      if (found !== null) yield [{ [pool]: name }, found];
    }
  }
  function* ofLanes(value: (reading: LaneReading) => number): Generator<[Labels, number]> {
    for (const [name, each] of Object.entries(pools)) {
      for (const [lane, reading] of Object.entries(each.status().lanes))
        yield [{ [pool]: name, lane }, value(reading)];
    }
  }
  function* connections(): Generator<[Labels, number]> {
    for (const [name, each] of Object.entries(pools)) {
      const { checked_in, lanes } = each.status();
      yield [{ [pool]: name, [state]: 'idle', lane: '' }, checked_in];
      for (const [lane, { checked_out }] of Object.entries(lanes))
        yield [{ [pool]: name, [state]: 'used', lane }, checked_out];
    }
  }
  function* durations(kind: 'wait' | 'use'): Generator<[Labels, HistogramReading]> {
    for (const [name, each] of Object.entries(pools)) {
      for (const [lane, readings] of Object.entries(each.durations().lanes))
        yield [{ [pool]: name, lane }, readings[kind]];
    }
  }

  const gauge = (name: string, help: string, value: (reading: PoolReading) => number | null) =>
    readGauge(registry, { name, help, labelNames: [pool] }, () => ofPools(value));
  const counter = (name: string, help: string, value: (reading: PoolReading) => number) =>
    readCounter(registry, { name, help, labelNames: [pool] }, () => ofPools(value));
  const laneGauge = (name: string, help: string, value: (reading: LaneReading) => number) =>
    readGauge(registry, { name, help, labelNames: [pool, 'lane'] }, () => ofLanes(value));
  const laneCounter = (name: string, help: string, value: (reading: LaneReading) => number) =>
    readCounter(registry, { name, help, labelNames: [pool, 'lane'] }, () => ofLanes(value));
  const laneHistogram = (name: string, help: string, kind: 'wait' | 'use') =>
    readHistogram(registry, { name, help, labelNames: [pool, 'lane'] }, () => durations(kind));

  readGauge(
    registry,
    {
      name: 'db_client_connection_count',
      help: 'Open connections: lent to a lane (used), or ready to be lent (idle).',
      labelNames: [pool, state, 'lane'],
    },
    connections,
  );
  gauge(
    'db_client_connection_max',
    'Most connections: core and overflow.',
    ({ pool_size, max_overflow }) => pool_size + max_overflow,
  );
  gauge(
    'db_client_connection_idle_max',
    'Most connections that stay open while nobody needs them: the core.',
    ({ pool_size }) => pool_size,
  );
  laneGauge(
    'db_client_connection_pending_requests',
    'Borrowers that wait for a connection.',
    ({ waiting }) => waiting,
  );
  laneCounter(
    'db_client_connection_timeouts_total',
    'Borrowers that got no connection in time.',
    ({ timeouts }) => timeouts,
  );
  readHistogram(
    registry,
    {
      name: 'db_client_connection_create_time_seconds',
      help: 'From the first packet to a connection that is set up.',
      labelNames: [pool],
    },
    function* () {
      for (const [name, each] of Object.entries(pools)) yield [{ [pool]: name }, each.durations().create];
    },
  );
  laneHistogram(
    'db_client_connection_wait_time_seconds',
    'How long borrowers that got a connection waited for it.',
    'wait',
  );
  laneHistogram('db_client_connection_use_time_seconds', 'How long connections were lent.', 'use');

  laneGauge(
    'sluice_pool_oldest_wait_seconds',
    'How long who is first in line has waited for a connection.',
    ({ oldest_wait_ms }) => oldest_wait_ms / 1_000,
  );
  laneGauge(
    'sluice_pool_lane_guaranteed_connections',
    'Connections that a lane is promised.',
    ({ guaranteed }) => guaranteed,
  );
  laneGauge('sluice_pool_lane_overloaded', '1 while a lane sheds, else 0.', ({ overloaded }) =>
    Number(overloaded),
  );
  laneCounter('sluice_pool_acquired_total', 'Connections lent.', ({ acquired }) => acquired);
  laneCounter('sluice_pool_aborted_total', 'Borrowers that gave up waiting.', ({ aborted }) => aborted);
  laneCounter(
    'sluice_pool_shed_total',
    'Borrowers sent away because the line only grew.',
    ({ shed }) => shed,
  );
  gauge('sluice_pool_overflow_connections', 'Open beyond the core.', ({ overflow }) => overflow);
  gauge('sluice_pool_opening_connections', 'Being opened now.', ({ opening }) => opening);
  gauge(
    'sluice_pool_budget_share_connections',
    "What the pool may hold under the fleet's budget; absent without one.",
    ({ budget_share }) => budget_share,
  );
  counter('sluice_pool_opened_total', 'Connections opened.', ({ opened }) => opened);
  counter('sluice_pool_closed_total', 'Connections closed.', ({ closed }) => closed);
  counter(
    'sluice_pool_recycled_total',
    'Connections closed because of their age.',
    ({ recycled }) => recycled,
  );
  counter('sluice_pool_invalid_total', 'Connections found broken.', ({ invalid }) => invalid);
  counter('sluice_pool_connect_failures_total', 'Connections that could not be opened.', (reading) => {
    return reading.connect_failures;
  });
  counter('sluice_pool_pings_failed_total', 'Idle connections that did not answer.', (reading) => {
    return reading.pings_failed;
  });
  counter(
    'sluice_pool_leaks_total',
    'Connections lent for longer than DB_LEAK_SECONDS.',
    ({ leaks }) => leaks,
  );
}
