import type { Registry } from 'prom-client';
import { type Labels, readGauge } from './reading.ts';

export interface WorkerReading {
  healthy: boolean;
  paused: boolean;
  concurrency: number;
  active: number;
  stuck: number;
  /** Milliseconds since the epoch; undefined before the first job. */
  progressAt: number | undefined;
  /** Of the time that writes take while searches are slow, in (0, 1]. */
  writeShare: number;
}

/** Read when they are asked for. */
export function registerWorkerMetrics(registry: Registry, read: () => WorkerReading): void {
  const gauge = (name: string, help: string, value: (reading: WorkerReading) => number | undefined) =>
    readGauge(registry, { name, help }, (): [Labels, number][] => {
      const found = value(read());
      return found === undefined ? [] : [[{}, found]];
    });
  gauge('sluice_worker_healthy', '1 when its jobs get on, as /healthz says, else 0.', (reading) =>
    Number(reading.healthy),
  );
  gauge('sluice_worker_paused', '1 while it takes no jobs because of back-pressure, else 0.', ({ paused }) =>
    Number(paused),
  );
  gauge('sluice_worker_concurrency', 'Jobs it takes at the same time.', ({ concurrency }) => concurrency);
  gauge('sluice_worker_active_jobs', 'Jobs in hand.', ({ active }) => active);
  gauge(
    'sluice_worker_stuck_jobs',
    'Jobs in hand that have not moved on for WORKER_STUCK_SECONDS.',
    (reading) => {
      return reading.stuck;
    },
  );
  gauge(
    'sluice_worker_progress_timestamp_seconds',
    'When a job of it last moved on; absent before the first.',
    ({ progressAt }) => progressAt && progressAt / 1_000,
  );
  gauge(
    'sluice_worker_write_share_ratio',
    'Of the time that it may write, so that searches stay fast: 1 is all of it.',
    ({ writeShare }) => writeShare,
  );
}
