import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createPoolHistory, type JobDurations, reportPool, startHeartbeat } from '@sluice/monitoring';
import type { Pool } from '@sluice/pool';
import type { Consumer } from '@sluice/queue';
import type { WorkHealth } from './work-health.ts';

export interface WorkReporterOptions {
  pool: Pool;
  consumer: Pick<Consumer, 'status'>;
  durations: Pick<JobDurations, 'mean'>;
  health(): WorkHealth;
  version: string;
  concurrency: number;
  /** Core and overflow as configured. */
  wantedConnections: number;
  onError(error: unknown): void;
}

/** The row by which gateways see this worker. */
export function startWorkReporter(options: WorkReporterOptions): AsyncDisposable {
  const { pool, consumer, durations, health, version, concurrency, wantedConnections, onError } = options;
  const history = createPoolHistory(pool.status);
  const heartbeat = startHeartbeat({
    db: pool.lane('control'),
    process: {
      id: randomUUID(),
      role: 'worker',
      host: hostname(),
      pid: process.pid,
      version,
      startedAt: new Date(),
    },
    read() {
      const { state, active, progressAt } = consumer.status();
      const { healthy, detail } = health();
      const { seconds, jobs } = durations.mean();
      return {
        pool: reportPool(pool.status(), history.use()),
        wanted: wantedConnections,
        work: {
          state,
          concurrency,
          active,
          progressAt: progressAt?.toISOString() ?? null,
          healthy,
          detail: healthy ? null : detail,
          serviceSeconds: seconds,
          jobs,
        },
      };
    },
    onError,
  });
  return {
    async [Symbol.asyncDispose]() {
      history[Symbol.dispose]();
      await heartbeat[Symbol.asyncDispose]();
    },
  };
}
