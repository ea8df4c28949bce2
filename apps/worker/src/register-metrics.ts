import type { WriteThrottle } from '@sluice/ingestion';
import { type Consumer, ingestUploadJob, type Producer } from '@sluice/queue';
import type { Database } from '@sluice/store';
import {
  type DependencyChecks,
  type Registry,
  registerBudgetMetrics,
  registerDependencyMetrics,
  registerPoolMetrics,
  registerProcessMetrics,
  registerQueueMetrics,
  registerWorkerMetrics,
} from '@sluice/telemetry';
import { stuckJobs, type WorkHealth } from './work-health.ts';

export interface Metered {
  version: string;
  database: Pick<Database, 'pools' | 'budget'>;
  producer: Pick<Producer, 'counts'>;
  consumer: Pick<Consumer, 'status'>;
  throttle: Pick<WriteThrottle, 'share'>;
  concurrency: number;
  stuckMs: number;
  health: () => WorkHealth;
  checks: DependencyChecks<string>;
}

/** What is read of the parts of a worker when somebody asks for its metrics. */
export function registerMetrics(registry: Registry, metered: Metered): void {
  const { version, database, producer, consumer, throttle, concurrency, stuckMs, health, checks } = metered;
  const { pools, budget } = database;
  registerProcessMetrics(registry, { service: 'worker', version });
  registerPoolMetrics(registry, pools);
  if (budget) registerBudgetMetrics(registry, () => budget.status());
  registerQueueMetrics(registry, async () => ({
    [ingestUploadJob.name]: await producer.counts(ingestUploadJob),
  }));
  registerDependencyMetrics(registry, checks);
  registerWorkerMetrics(registry, () => {
    const status = consumer.status();
    return {
      healthy: health().healthy,
      paused: status.state === 'paused',
      concurrency,
      active: status.active,
      stuck: stuckJobs(status, new Date(), { stuckMs }).length,
      progressAt: status.progressAt?.getTime(),
      writeShare: throttle.share,
    };
  });
}
