import { randomUUID } from 'node:crypto';
import { createMemoryCache, createRedisCache, createTieredCache, type TieredCache } from '@sluice/cache';
import { type Config, requireServices } from '@sluice/config';
import { createEmbedders } from '@sluice/ingestion';
import { createFetcher, createPoster } from '@sluice/outbound';
import { createPostgresProgress, createRedisProgress } from '@sluice/progress';
import { createProducer, databaseConnections, openRedisScripts } from '@sluice/queue';
import {
  createHttpReranker,
  createLatencyReporter,
  createSearch,
  samplePressure,
  skipWhileFailing,
} from '@sluice/search';
import {
  createApiKeyRing,
  createCatalog,
  createServerFacts,
  explainStatement,
  findBatches,
  notablePoolEvents,
  openDatabase,
  reportSearchLatency,
  type VectorIndex,
} from '@sluice/store';
import {
  createDatabaseTracer,
  createEmbeddingMetrics,
  createHttpMetrics,
  createHttpTracer,
  createSearchMetrics,
  type Logger,
  logEvents,
  Registry,
  registerScalingMetrics,
  startTracing,
} from '@sluice/telemetry';
import { createFailedAttempts } from './access/failed-attempts.ts';
import { createGatekeeper } from './access/gatekeeper.ts';
import { createGatewayChecks } from './gateway-checks.ts';
import { registerGatewayMetrics } from './gateway-metrics.ts';
import { openCountingRedis } from './limits/counting-redis.ts';
import { createMeter } from './limits/meter.ts';
import { createUploadQuotas } from './limits/upload-quotas.ts';
import { openMonitor } from './open-monitor.ts';
import type { Services } from './services.ts';
import { createUploadBacklog } from './upload-backlog.ts';
import { createUploadWatcher } from './upload-watcher.ts';
import { createWatcher } from './watcher.ts';

const batchIntervalMs = 300;

function createCache({ cacheRedisUrl, cache }: Config, onError: (error: Error) => void): TieredCache {
  const near = createMemoryCache({ maxBytes: cache.memoryBytes, maxEntries: cache.memoryEntries });
  return createTieredCache(
    near,
    cacheRedisUrl ? createRedisCache({ url: cacheRedisUrl, onError }) : undefined,
  );
}

function vectorIndexOf({ mode, vectorIndex }: Config): VectorIndex {
  if (mode === 'embedded') return 'none';
  return vectorIndex.minChunks === 0 ? 'hnsw' : 'deferred';
}

export interface OpenServicesOptions {
  config: Config;
  log: Logger;
  version: string;
  /** Told of what goes wrong and that no request waits for. */
  onError(error: unknown): void;
}

/** Opens what the routes are built on. Disposing closes it in the opposite order. */
export async function openServices({
  config,
  log,
  version,
  onError,
}: OpenServicesOptions): Promise<{ services: Services } & AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  const { databaseUrl, queue } = requireServices(config);
  const metrics = new Registry();
  const tracing = config.tracing && (await startTracing({ ...config.tracing, service: 'gateway', version }));
  opening.use(tracing);

  const redisScripts = queue.kind === 'redis' ? openRedisScripts({ url: queue.url, onError }) : undefined;
  opening.defer(() => redisScripts?.close());
  const countingRedis = queue.kind === 'redis' ? openCountingRedis(queue.url, onError) : undefined;
  opening.defer(() => countingRedis?.disconnect());
  const meter = (name: string, periodSeconds: number) =>
    createMeter({ name, periodSeconds, redis: countingRedis });

  const logPoolEvent = logEvents(log, 'pool', notablePoolEvents);
  const database = openDatabase({
    connectionString: databaseUrl,
    pool: config.pool,
    applicationName: 'sluice-gateway',
    dedicated: databaseConnections(queue, { producers: 1, consumers: 0 }),
    // People wait for answers: a gateway gets twice as much of the budget as a worker.
    budget: { ...config.budget, redis: redisScripts, weight: 2 },
    reads: config.reads,
    onEvent(event) {
      logPoolEvent(event);
      // After either it may be another server, or the same one after an upgrade.
      if (event.type === 'connect_failed' || event.type === 'retire') serverFacts.forget();
    },
    onReplica: (change) => log.warn(change, 'standby'),
    tracer: createDatabaseTracer({
      log,
      slowMs: config.slowQueryMs,
      traced: tracing !== undefined,
      explain: (statement) => explainStatement(pool.lane('control'), statement),
    }),
  });
  opening.defer(() => database.close());
  const { pool, router } = database;
  const serverFacts = createServerFacts(pool.lane('control'));
  const apiKeys = opening.use(createApiKeyRing(pool, { onError }));
  const readsStandbys = router !== undefined;
  const catalog = opening.use(
    createCatalog(pool, {
      changes: 'listen',
      positions: readsStandbys,
      confirmMs: config.search.confirmMs,
      onApiKeys: () => void apiKeys.refresh().catch(() => {}),
      onError,
    }),
  );
  const embedders = opening.use(
    createEmbedders({
      ...config.embedding,
      redis: redisScripts,
      onRateChange: (change) => log.warn(change, 'embedding rate limits'),
      onRequest: createEmbeddingMetrics(metrics),
    }),
  );
  const cache = createCache(config, onError);
  opening.defer(() => cache.close());
  const producer = opening.use(createProducer(queue, { onError, traced: tracing !== undefined }));
  const progressOptions = { db: pool.lane('interactive'), onError };
  const progress = opening.use(
    queue.kind === 'redis'
      ? createRedisProgress({ ...progressOptions, url: queue.url })
      : createPostgresProgress(progressOptions),
  );
  const batchWatcher = opening.use(
    createWatcher({
      find: (ids) => findBatches(pool.lane('interactive'), ids),
      intervalMs: batchIntervalMs,
      onError,
    }),
  );
  const watcher = opening.use(createUploadWatcher(pool.lane('interactive'), progress, { onError }));
  const processId = randomUUID();
  const monitoring = opening.use(
    openMonitor({
      config,
      database,
      serverFacts,
      producer,
      cache,
      identity: { id: processId, version },
      onError: (error) => log.debug({ err: error }, 'heartbeat'),
    }),
  );
  const latency = opening.use(
    createLatencyReporter({
      report: (p95Ms) => reportSearchLatency(pool.lane('control'), processId, p95Ms),
      onError: (error) => log.debug({ err: error }, 'latency of searches not reported'),
    }),
  );
  const search = createSearch({
    db: database.reads,
    embedderFor: embedders.for,
    cache,
    answers: { ...config.cache, renewTimeoutMs: config.search.timeoutMs },
    staleIfErrorMs: config.cache.staleIfErrorMs,
    unmeasuredEffort: config.search.efSearch,
    pressure: samplePressure(() => pool.status().lanes.interactive?.oldest_wait_ms ?? 0),
    onIndexSearch: latency.observe,
    confirm: config.search.confirmMs > 0 ? catalog.confirm : undefined,
    readsStandbys,
  });
  const checks = createGatewayChecks({ pool, catalog, serverFacts, producer, cache, router });
  registerGatewayMetrics(metrics, { version, database, cache, producer, checks });
  registerScalingMetrics(metrics, monitoring.monitor.scaling);

  const services: Services = {
    pool,
    catalog,
    serverFacts,
    producer,
    checks,
    cache,
    search,
    reranking: config.reranking && {
      reranker: skipWhileFailing(createHttpReranker(config.reranking)),
      candidates: config.reranking.candidates,
    },
    searchTimeoutMs: config.search.timeoutMs,
    onSearch: createSearchMetrics(metrics),
    metrics,
    monitor: monitoring.monitor,
    httpMetrics: createHttpMetrics(metrics),
    httpTracer: tracing && createHttpTracer(),
    progress,
    watcher,
    batchWatcher,
    backlog: createUploadBacklog(pool.lane('interactive'), { limit: config.http.uploadBacklogLimit }),
    fetcher: createFetcher({
      rules: config.http.uploadUrl.hosts,
      maxBytes: config.http.maxUploadBytes,
      timeoutMs: config.http.uploadUrl.timeoutMs,
      userAgent: `sluice/${version}`,
    }),
    webhooks: {
      // It only checks: the workers send.
      ...createPoster({
        rules: config.webhooks.hosts,
        trustedUrl: config.webhooks.url,
        timeoutMs: 0,
        userAgent: '',
      }),
      defaultUrl: config.webhooks.url,
    },
    embeddingDefaults: config.embedding,
    vectorIndex: vectorIndexOf(config),
    log,
    recall: { target: config.search.recall.target, unmeasured: config.search.efSearch },
    limits: config.http,
    requests: { meter: meter('requests', 60), perMinute: config.http.quotas.requestsPerMinute },
    quotas: createUploadQuotas({
      meters: { uploads: meter('uploads', 86_400), bytes: meter('upload-bytes', 86_400) },
      defaults: config.http.quotas,
    }),
    corsOrigins: config.http.corsOrigins,
    trustProxy: config.http.trustProxy,
    bodyTimeoutMs: config.http.bodyTimeoutMs,
    apiKeys,
    gatekeeper: createGatekeeper({
      bootstrapKeys: config.http.apiKeys,
      ring: apiKeys,
      local: config.http.local,
      failed: createFailedAttempts(config.http.authFailuresPerMinute),
    }),
    version,
  };
  const opened = opening.move();
  return { services, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
