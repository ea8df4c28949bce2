import type { TieredCache } from '@sluice/cache';
import type { Pool, ReadRouter } from '@sluice/pool';
import type { Producer } from '@sluice/queue';
import { type Catalog, isMigrated, requireSupported, type ServerFactsReader } from '@sluice/store';
import { createDependencyChecks, type DependencyChecks } from '@sluice/telemetry';

export interface GatewayDependencies {
  pool: Pool;
  catalog: Catalog;
  serverFacts: ServerFactsReader;
  producer: Pick<Producer, 'ping'>;
  cache: Pick<TieredCache, 'ping'>;
  /** Only with standbys. */
  router: Pick<ReadRouter, 'status'> | undefined;
}

type Dependency = 'database' | 'schema' | 'queue' | 'cache';
export type GatewayChecks = DependencyChecks<Dependency>;

/** What a gateway needs. Standbys are checks of their own, named after their hosts. */
export function createGatewayChecks(dependencies: GatewayDependencies): GatewayChecks {
  const { pool, catalog, serverFacts, producer, cache, router } = dependencies;
  let migrated = false;

  async function checkSchema(): Promise<string | undefined> {
    migrated ||= await isMigrated(pool);
    if (!migrated) return 'the schema is not up to date: run "sluice migrate"';
    requireSupported(await serverFacts.read());
    return (await catalog.byName('default')) ? undefined : 'the collection "default" is not there yet';
  }
  async function checkStandby(name: string): Promise<string | undefined> {
    const standby = router?.status().replicas.find((replica) => replica.name === name);
    if (standby?.usable) return undefined;
    return standby?.error ?? `${standby?.state ?? 'unknown'}, behind by ${standby?.lag_ms ?? '?'} ms`;
  }
  const standbys = (router?.status().replicas ?? []).map(({ name }) => [
    `standby ${name}`,
    () => checkStandby(name),
  ]);

  return createDependencyChecks({
    database: async () => (await pool.testConnection()).error,
    schema: checkSchema,
    queue: () => producer.ping().then(() => undefined),
    cache: () => cache.ping().then(() => undefined),
    ...Object.fromEntries(standbys),
  });
}
