import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMemoryCache, createRedisCache, createTieredCache, type TieredCache } from '@sluice/cache';
import { type Config, type Environment, loadConfig, requireServices } from '@sluice/config';
import { newCollectionSchema } from '@sluice/contract';
import { createEmbedders } from '@sluice/ingestion';
import { createFetcher, createPoster } from '@sluice/outbound';
import { createPostgresProgress, createRedisProgress } from '@sluice/progress';
import { checkQueueBackend, createProducer, databaseConnections, openRedisScripts } from '@sluice/queue';
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
  createCollection,
  createFirstApiKey,
  createServerFacts,
  explainStatement,
  findBatches,
  notablePoolEvents,
  openDatabase,
  recordAudit,
  reportSearchLatency,
  StoreError,
  type VectorIndex,
} from '@sluice/store';
import {
  createDatabaseTracer,
  createEmbeddingMetrics,
  createHttpMetrics,
  createHttpTracer,
  createLogger,
  createSearchMetrics,
  logEvents,
  Registry,
  registerScalingMetrics,
  startTracing,
} from '@sluice/telemetry';
import type { Express } from 'express';
import packageJson from '../package.json' with { type: 'json' };
import { createFailedAttempts } from './access/failed-attempts.ts';
import { createGatekeeper } from './access/gatekeeper.ts';
import { answerBrokenRequests } from './answer-broken-requests.ts';
import { createApp } from './app.ts';
import { completeCollection } from './embedding-defaults.ts';
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

export interface RunningGateway {
  /** Where it listens, e.g. `http://127.0.0.1:3000`. */
  url: string;
  /** What answers; its routes can be listed. */
  app: Express;
  /** Resolves when the gateway has stopped. */
  stopped: Promise<void>;
  /** Ends requests under way within the deadline, then closes what it opened. Safe to call twice. */
  stop(): Promise<void>;
}

export interface GatewayHooks {
  /**
   * Gets the key that is made when the gateway can be reached from other machines and there is and never was a key. It is not kept anywhere,
   * and must not be logged. Without this hook none is made, and nobody gets in.
   */
  onFirstKey?: (key: string) => void;
}

const batchIntervalMs = 300;
const retryMs = 1_000;
// How often Node looks for requests past their time; by default every 30 s.
const connectionsCheckingInterval = 1_000;
// Longer than load balancers keep idle connections (60 s by default): one that is closed here while a request is on its way to it
// is an error for the client. Node's own 5 s are shorter.
const keepAliveTimeout = 75_000;
// A request of ours has a dozen headers, and a proxy adds as many; what has more of either is answered with 431.
const maxHeaderSize = 16_384;
const maxHeadersCount = 100;

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

/** The collection that requests mean when they name none. */
async function ensureDefaultCollection({
  pool,
  catalog,
  embeddingDefaults,
  vectorIndex,
}: Services): Promise<void> {
  if (await catalog.byName('default')) return;
  const collection = completeCollection(newCollectionSchema.parse({ name: 'default' }), embeddingDefaults);
  try {
    await pool
      .lane('control')
      .transaction((transaction) => createCollection(transaction, collection, vectorIndex));
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'collection_exists')) throw error;
  }
  await catalog.refresh();
}

/** By one of all gateways that start at once. */
async function makeFirstKey(
  { pool, apiKeys, log }: Services,
  onFirstKey: (key: string) => void,
): Promise<void> {
  const made = await pool.lane('control').transaction(async (transaction) => {
    const key = await createFirstApiKey(transaction);
    const entry = { action: 'key.create', details: { scopes: ['admin'] }, address: null, requestId: null };
    if (key)
      await recordAudit(transaction, { ...entry, target: key.id, keyId: null, keyName: 'first start' });
    return key;
  });
  if (!made) return;
  await apiKeys.refresh();
  log.info({ audit: true, action: 'key.create', target: made.id }, 'first key made');
  onFirstKey(made.key);
}

/** Runs `work` until it succeeds: a gateway that starts before its database is not ready yet, and not dead. */
function untilDone(work: () => Promise<void>, onError: (error: unknown) => void, signal: AbortSignal): void {
  const attempt = () => {
    if (signal.aborted) return;
    work().catch((error) => {
      onError(error);
      setTimeout(attempt, retryMs).unref();
    });
  };
  attempt();
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

/** Builds a gateway from the environment and listens. Throws `ConfigError`, or what Node says of the port (`EADDRINUSE`). */
export async function runGateway(
  environment: Environment,
  { onFirstKey }: GatewayHooks = {},
): Promise<RunningGateway> {
  const config = loadConfig(environment);
  const { databaseUrl, queue } = requireServices(config);
  const log = createLogger({ name: 'gateway', ...config.log });
  const onError = (error: unknown) => log.error({ err: error }, 'background');
  const metrics = new Registry();
  const { version } = packageJson;
  const tracing = config.tracing && (await startTracing({ ...config.tracing, service: 'gateway', version }));

  const redisScripts = queue.kind === 'redis' ? openRedisScripts({ url: queue.url, onError }) : undefined;
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
  const { pool } = database;
  const serverFacts = createServerFacts(pool.lane('control'));
  const readsStandbys = database.router !== undefined;
  const catalog = createCatalog(pool, {
    changes: 'listen',
    positions: readsStandbys,
    confirmMs: config.search.confirmMs,
    onApiKeys: () => void apiKeys.refresh().catch(() => {}),
    onError,
  });
  const apiKeys = createApiKeyRing(pool, { onError });
  const embedders = createEmbedders({
    ...config.embedding,
    redis: redisScripts,
    onRateChange: (change) => log.warn(change, 'embedding rate limits'),
    onRequest: createEmbeddingMetrics(metrics),
  });
  const producer = createProducer(queue, { onError, traced: tracing !== undefined });
  const cache = createCache(config, onError);
  const processId = randomUUID();
  const latency = createLatencyReporter({
    report: (p95Ms) => reportSearchLatency(pool.lane('control'), processId, p95Ms),
    onError: (error) => log.debug({ err: error }, 'latency of searches not reported'),
  });
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
  const progressOptions = { db: pool.lane('interactive'), onError };
  const progress =
    queue.kind === 'redis'
      ? createRedisProgress({ ...progressOptions, url: queue.url })
      : createPostgresProgress(progressOptions);
  const watcher = createUploadWatcher(pool.lane('interactive'), progress, { onError });
  const batchWatcher = createWatcher({
    find: (ids) => findBatches(pool.lane('interactive'), ids),
    intervalMs: batchIntervalMs,
    onError,
  });
  const { monitor, ...monitoring } = openMonitor({
    config,
    database,
    serverFacts,
    producer,
    cache,
    identity: { id: processId, version: packageJson.version },
    onError: (error) => log.debug({ err: error }, 'heartbeat'),
  });
  const checks = createGatewayChecks({
    pool,
    catalog,
    serverFacts,
    producer,
    cache,
    router: database.router,
  });
  registerGatewayMetrics(metrics, { version, database, cache, producer, checks });
  registerScalingMetrics(metrics, monitor.scaling);
  const closing = new AbortController();
  const countingRedis = queue.kind === 'redis' ? openCountingRedis(queue.url, onError) : undefined;
  const meter = (name: string, periodSeconds: number) =>
    createMeter({ name, periodSeconds, redis: countingRedis });

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
    monitor,
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
  const app = createApp(services);
  const server = createServer(
    {
      requestTimeout: config.http.uploadTimeoutMs,
      headersTimeout: Math.min(config.http.headersTimeoutMs, config.http.uploadTimeoutMs),
      maxHeaderSize,
      connectionsCheckingInterval,
      keepAliveTimeout,
    },
    app,
  );
  server.maxHeadersCount = maxHeadersCount;
  answerBrokenRequests(server);

  async function closeServices(): Promise<void> {
    closing.abort();
    latency[Symbol.dispose]();
    await monitoring[Symbol.asyncDispose]();
    watcher[Symbol.dispose]();
    batchWatcher[Symbol.dispose]();
    await progress[Symbol.asyncDispose]();
    await producer.close();
    await cache.close();
    await embedders[Symbol.asyncDispose]();
    await catalog[Symbol.asyncDispose]();
    await apiKeys[Symbol.asyncDispose]();
    await database.close();
    redisScripts?.close();
    countingRedis?.disconnect();
    await tracing?.[Symbol.asyncDispose]();
  }

  let url: string;
  try {
    url = await listen(server, config.http.host, config.http.port);
  } catch (error) {
    await closeServices();
    throw error;
  }
  untilDone(
    async () => {
      await ensureDefaultCollection(services);
      if (!config.http.local && config.http.apiKeys.length === 0 && onFirstKey)
        await makeFirstKey(services, onFirstKey);
      log.info(await serverFacts.read(), 'database');
    },
    onError,
    closing.signal,
  );
  checkQueueBackend(queue).then((warnings) => {
    for (const warning of warnings) log.warn(warning);
  }, onError);
  log.info({ mode: config.mode, url }, 'gateway listens');

  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  async function close(): Promise<void> {
    log.info('gateway stopping');
    const closed = once(server, 'close');
    server.close();
    // Event streams never end by themselves; their clients come back to another replica.
    const cut = setTimeout(
      () => server.closeAllConnections(),
      Math.min(config.shutdownTimeoutMs * 0.7, 5_000),
    );
    await closed;
    clearTimeout(cut);
    await closeServices();
    log.info('gateway stopped');
    resolve();
  }
  return {
    url,
    app,
    stopped,
    stop() {
      stopping ??= close();
      return stopping;
    },
  };
}
