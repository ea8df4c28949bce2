import type { TieredCache } from '@sluice/cache';
import { ingestUploadJob, type Producer } from '@sluice/queue';
import type { Database } from '@sluice/store';
import {
  type DependencyChecks,
  type Registry,
  registerBudgetMetrics,
  registerCacheMetrics,
  registerDependencyMetrics,
  registerPoolMetrics,
  registerProcessMetrics,
  registerQueueMetrics,
  registerStandbyMetrics,
} from '@sluice/telemetry';

export interface Metered {
  version: string;
  database: Pick<Database, 'pools' | 'budget' | 'router'>;
  cache: Pick<TieredCache, 'stats'>;
  producer: Pick<Producer, 'counts'>;
  checks: DependencyChecks<string>;
}

/** What is read of the parts of a gateway when somebody asks for its metrics. */
export function registerGatewayMetrics(registry: Registry, metered: Metered): void {
  const { version, database, cache, producer, checks } = metered;
  const { pools, budget, router } = database;
  registerProcessMetrics(registry, { service: 'gateway', version });
  registerPoolMetrics(registry, pools);
  if (budget) registerBudgetMetrics(registry, () => budget.status());
  if (router) registerStandbyMetrics(registry, () => router.status());
  registerCacheMetrics(registry, cache.stats);
  registerQueueMetrics(registry, async () => ({
    [ingestUploadJob.name]: await producer.counts(ingestUploadJob),
  }));
  registerDependencyMetrics(registry, checks);
}
