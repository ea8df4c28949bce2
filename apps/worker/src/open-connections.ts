import { type Config, requireServices } from '@sluice/config';
import { createExtractor, type Extractor } from '@sluice/extraction';
import { createEmbedders, type Embedders } from '@sluice/ingestion';
import { createPostgresProgress, createRedisProgress, type ProgressChannel } from '@sluice/progress';
import { createProducer, databaseConnections, openRedisScripts, type Producer } from '@sluice/queue';
import {
  type ApiKeyRing,
  type Catalog,
  createApiKeyRing,
  createCatalog,
  type Database,
  explainStatement,
  notablePoolEvents,
  openDatabase,
} from '@sluice/store';
import {
  createDatabaseTracer,
  createEmbeddingMetrics,
  type Logger,
  logEvents,
  type Registry,
  startTracing,
} from '@sluice/telemetry';

export interface ConnectionsOptions {
  config: Config;
  log: Logger;
  registry: Registry;
  version: string;
  /** Told of what goes wrong and that no job waits for. */
  onError(error: unknown): void;
}

/** What a worker works with. Disposing closes it in the opposite order. */
export interface Connections extends AsyncDisposable {
  database: Database;
  catalog: Catalog;
  embedders: Embedders;
  extractor: Extractor;
  producer: Producer;
  progressChannel: ProgressChannel;
  /** Who reads metrics is asked for a key; undefined where nobody can. */
  apiKeys: ApiKeyRing | undefined;
  /** Whether somebody wants traces. */
  traced: boolean;
}

// Changes are announced; this is for where nobody can hear that.
const keysPollMs = 10_000;

export async function openConnections(options: ConnectionsOptions): Promise<Connections> {
  const { config, log, registry, version, onError } = options;
  await using opening = new AsyncDisposableStack();
  const { databaseUrl, queue } = requireServices(config);
  const tracing = config.tracing && (await startTracing({ ...config.tracing, service: 'worker', version }));
  opening.use(tracing);
  const traced = tracing !== undefined;

  const redisScripts = queue.kind === 'redis' ? openRedisScripts({ url: queue.url, onError }) : undefined;
  opening.defer(() => redisScripts?.close());
  const database = openDatabase({
    connectionString: databaseUrl,
    pool: config.pool,
    applicationName: 'sluice-worker',
    dedicated: databaseConnections(queue, { producers: 1, consumers: 1 }),
    budget: { ...config.budget, redis: redisScripts, weight: 1 },
    reads: { ...config.reads, urls: [] },
    onEvent: logEvents(log, 'pool', notablePoolEvents),
    tracer: createDatabaseTracer({
      log,
      slowMs: config.slowQueryMs,
      traced,
      explain: (statement) => explainStatement(pool.lane('control'), statement),
    }),
  });
  opening.defer(() => database.close());
  const { pool } = database;
  const apiKeys =
    config.worker.port === undefined ? undefined : createApiKeyRing(pool, { pollMs: keysPollMs, onError });
  opening.use(apiKeys);
  const catalog = opening.use(
    createCatalog(pool, {
      changes: 'listen',
      onApiKeys: () => void apiKeys?.refresh().catch(() => {}),
      onError,
    }),
  );
  const embedders = opening.use(
    createEmbedders({
      ...config.embedding,
      redis: redisScripts,
      onRateChange: (change) => log.warn(change, 'embedding rate limits'),
      onRequest: createEmbeddingMetrics(registry),
    }),
  );
  const extractor = createExtractor(config.extraction);
  opening.defer(() => extractor.close());
  const progressOptions = { db: pool.lane('control'), onError };
  const progressChannel = opening.use(
    queue.kind === 'redis'
      ? createRedisProgress({ ...progressOptions, url: queue.url })
      : createPostgresProgress(progressOptions),
  );
  const producer = opening.use(createProducer(queue, { onError, traced }));
  const opened = opening.move();
  return {
    database,
    catalog,
    embedders,
    extractor,
    producer,
    progressChannel,
    apiKeys,
    traced,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
