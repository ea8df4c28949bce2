import type { Pool } from '@sluice/pool';
import type { Consumer, Producer } from '@sluice/queue';
import { isMigrated } from '@sluice/store';
import { createDependencyChecks, type DependencyChecks } from '@sluice/telemetry';

export interface WorkerDependencies {
  pool: Pool;
  producer: Pick<Producer, 'ping'>;
  consumer: Pick<Consumer, 'status'>;
}

/** What a worker needs. */
export function createWorkerChecks({
  pool,
  producer,
  consumer,
}: WorkerDependencies): DependencyChecks<'database' | 'schema' | 'queue' | 'consumer'> {
  let migrated = false;
  return createDependencyChecks({
    database: async () => (await pool.testConnection()).error,
    async schema() {
      migrated ||= await isMigrated(pool);
      return migrated ? undefined : 'the schema is not up to date: run "sluice migrate"';
    },
    queue: () => producer.ping().then(() => undefined),
    async consumer() {
      const { state } = consumer.status();
      return state === 'running' || state === 'paused' ? undefined : `takes no jobs: ${state}`;
    },
  });
}
