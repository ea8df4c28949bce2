import { hostname } from 'node:os';
import type { Config } from '@sluice/config';
import {
  createMonitor,
  createPoolHistory,
  type Monitor,
  reportPool,
  startHeartbeat,
} from '@sluice/monitoring';
import { ingestUploadJob, type Producer, readEvictionPolicy } from '@sluice/queue';
import type { Database, ServerFactsReader } from '@sluice/store';
import type { Services } from './services.ts';

export interface MonitorParts {
  config: Config;
  database: Database;
  serverFacts: ServerFactsReader;
  producer: Producer;
  cache: Services['cache'];
  identity: { id: string; version: string };
  onError(error: unknown): void;
}

/** What the monitoring endpoints need, and the row by which others see this gateway. */
export function openMonitor({
  config,
  database,
  serverFacts,
  producer,
  cache,
  identity,
  onError,
}: MonitorParts): { monitor: Monitor } & AsyncDisposable {
  const { pool, router } = database;
  const { queue } = config;
  const history = createPoolHistory(pool.status);
  const heartbeat = startHeartbeat({
    db: pool.lane('control'),
    process: { ...identity, role: 'gateway', host: hostname(), pid: process.pid, startedAt: new Date() },
    read: () => ({
      pool: reportPool(pool.status(), history.use()),
      wanted: config.pool.size + config.pool.maxOverflow,
      work: null,
    }),
    onError,
  });
  const monitor = createMonitor({
    pool,
    facts: () => serverFacts.read(),
    budget: () => database.budget?.status(),
    standbys: () => router?.status().replicas ?? [],
    cache: cache.stats,
    evictionPolicy: async () => queue && readEvictionPolicy(queue),
    jobCounts: async () => [{ name: ingestUploadJob.name, ...(await producer.counts(ingestUploadJob)) }],
    settings: {
      embedded: config.mode === 'embedded',
      indexMemoryMb: config.vectorIndex.memoryMb,
      reserve: config.budget.reserve,
    },
    scaling: { ...config.scaling, concurrency: config.worker.concurrency },
  });
  return {
    monitor,
    async [Symbol.asyncDispose]() {
      history[Symbol.dispose]();
      await heartbeat[Symbol.asyncDispose]();
    },
  };
}
