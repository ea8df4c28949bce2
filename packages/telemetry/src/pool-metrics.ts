import { Counter, Gauge, type Registry } from 'prom-client';

/** What is read of a pool's status. */
export interface PoolReading {
  pool_size: number;
  max_overflow: number;
  checked_in: number;
  lanes: Readonly<
    Record<
      string,
      { checked_out: number; waiting: number; oldest_wait_ms: number; timeouts: number; shed: number }
    >
  >;
}

type LaneReading = PoolReading['lanes'][string];

const pool = 'db_client_connection_pool_name';
const state = 'db_client_connection_state';

/**
 * Read when they are asked for. The names are OpenTelemetry's, in Prometheus' spelling; `lane` is ours.
 * https://opentelemetry.io/docs/specs/semconv/database/database-metrics/
 */
export function registerPoolMetrics(registry: Registry, name: string, read: () => PoolReading): void {
  const registers = [registry];
  new Gauge({
    name: 'db_client_connection_count',
    help: 'Open connections: lent to a lane (used), or ready to be lent (idle).',
    labelNames: [pool, state, 'lane'],
    registers,
    collect() {
      const { checked_in, lanes } = read();
      this.set({ [pool]: name, [state]: 'idle', lane: '' }, checked_in);
      for (const [lane, { checked_out }] of Object.entries(lanes))
        this.set({ [pool]: name, [state]: 'used', lane }, checked_out);
    },
  });
  new Gauge({
    name: 'db_client_connection_max',
    help: 'Most connections: core and overflow.',
    labelNames: [pool],
    registers,
    collect() {
      const { pool_size, max_overflow } = read();
      this.set({ [pool]: name }, pool_size + max_overflow);
    },
  });
  new Gauge({
    name: 'db_client_connection_pending_requests',
    help: 'Borrowers that wait for a connection.',
    labelNames: [pool, 'lane'],
    registers,
    collect() {
      for (const [lane, { waiting }] of Object.entries(read().lanes))
        this.set({ [pool]: name, lane }, waiting);
    },
  });
  new Gauge({
    name: 'sluice_pool_oldest_wait_seconds',
    help: 'How long who is first in line has waited for a connection.',
    labelNames: [pool, 'lane'],
    registers,
    collect() {
      for (const [lane, { oldest_wait_ms }] of Object.entries(read().lanes))
        this.set({ [pool]: name, lane }, oldest_wait_ms / 1_000);
    },
  });
  const counted = (metric: string, help: string, of: (lane: LaneReading) => number) =>
    new Counter({
      name: metric,
      help,
      labelNames: [pool, 'lane'],
      registers,
      collect() {
        this.reset();
        for (const [lane, reading] of Object.entries(read().lanes))
          this.inc({ [pool]: name, lane }, of(reading));
      },
    });
  counted(
    'db_client_connection_timeouts_total',
    'Borrowers that got no connection in time.',
    ({ timeouts }) => timeouts,
  );
  counted('sluice_pool_shed_total', 'Borrowers sent away because the line only grew.', ({ shed }) => shed);
}
