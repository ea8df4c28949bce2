import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, type Environment, loadConfig, requireServices } from '@sluice/config';
import { createExtractor } from '@sluice/extraction';
import {
  createEmbedders,
  createPublisher,
  createWriteThrottle,
  startIndexBuilder,
  startReconciler,
  startWebhookSender,
} from '@sluice/ingestion';
import { createJobDurations } from '@sluice/monitoring';
import { createPoster } from '@sluice/outbound';
import type { Pool } from '@sluice/pool';
import { createPostgresProgress, createRedisProgress } from '@sluice/progress';
import {
  type Consumer,
  createProducer,
  databaseConnections,
  ingestUploadJob,
  openRedisScripts,
} from '@sluice/queue';
import { startRecallSampler } from '@sluice/search';
import {
  createApiKeyRing,
  createCatalog,
  explainStatement,
  notablePoolEvents,
  openDatabase,
  readSearchLatency,
} from '@sluice/store';
import {
  annotateSpan,
  createDatabaseTracer,
  createEmbeddingMetrics,
  createIngestionMetrics,
  createLogger,
  logEvents,
  Registry,
  startTracing,
} from '@sluice/telemetry';
import packageJson from '../package.json' with { type: 'json' };
import { startBackPressure } from './back-pressure.ts';
import { consumeIngestUpload } from './consumers/ingest-upload.ts';
import { registerMetrics } from './register-metrics.ts';
import { startWorkReporter } from './report-work.ts';
import { spanAttributesOf } from './span-attributes.ts';
import { type StatusServer, startStatusServer } from './status-server.ts';
import { watchWaitingJobs } from './waiting-jobs.ts';
import { type WorkHealth, workHealth } from './work-health.ts';
import { createWorkerChecks } from './worker-checks.ts';

export interface RunningWorker {
  /** Where it tells how it is; undefined without a `WORKER_PORT`. */
  url: string | undefined;
  /** Whether its jobs get on. */
  health(): WorkHealth;
  /** Resolves when the worker has stopped. */
  stopped: Promise<void>;
  /** Finishes or hands back its jobs, then closes what it opened. Safe to call twice. */
  stop(): Promise<void>;
}

// A receiver is to take the message and work on it later.
const webhookTimeoutMs = 15_000;

// Gateways report once a second while there are searches.
const latencyMaxAgeMs = 3_000;

const connectRetryMs = 250;

// Changes are announced; this is for where nobody can hear that.
const keysPollMs = 10_000;

/** Takes no job before it can work on one: while the fleet's budget has no share for it yet, or the database is away. */
async function startWhenConnected(pool: Pool, consumer: Consumer, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { healthy } = await pool.testConnection();
    if (signal.aborted) return;
    if (healthy) return consumer.start();
    await sleep(connectRetryMs, undefined, { signal }).catch(() => {});
  }
}

/** Builds a worker from the environment and starts it. Throws `ConfigError`. */
export async function runWorker(environment: Environment): Promise<RunningWorker> {
  const config = loadConfig(environment);
  const { databaseUrl, queue } = requireServices(config);
  const log = createLogger({ name: 'worker', ...config.log });
  const onError = (error: unknown) => log.error({ err: error }, 'background');
  const registry = new Registry();
  const { version } = packageJson;
  const tracing = config.tracing && (await startTracing({ ...config.tracing, service: 'worker', version }));
  const traced = tracing !== undefined;
  const metrics = createIngestionMetrics(registry);

  const redisScripts = queue.kind === 'redis' ? openRedisScripts({ url: queue.url, onError }) : undefined;
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
  const { pool } = database;
  // Who reads metrics is asked for a key; where nobody can there is nothing to know.
  const apiKeys =
    config.worker.port === undefined ? undefined : createApiKeyRing(pool, { pollMs: keysPollMs, onError });
  const catalog = createCatalog(pool, {
    changes: 'listen',
    onApiKeys: () => void apiKeys?.refresh().catch(() => {}),
    onError,
  });
  const embedders = createEmbedders({
    ...config.embedding,
    redis: redisScripts,
    onRateChange: (change) => log.warn(change, 'embedding rate limits'),
    onRequest: createEmbeddingMetrics(registry),
  });
  const extractor = createExtractor(config.extraction);
  const producer = createProducer(queue, { onError, traced });
  const progressOptions = { db: pool.lane('control'), onError };
  const progressChannel =
    queue.kind === 'redis'
      ? createRedisProgress({ ...progressOptions, url: queue.url })
      : createPostgresProgress(progressOptions);
  const throttle = createWriteThrottle({
    readLatency: () => readSearchLatency(pool.lane('control'), latencyMaxAgeMs),
    targetMs: config.worker.yieldAboveMs,
    onChange: ({ share, latencyMs }) =>
      log.info(
        { share, search_p95_ms: latencyMs },
        share < 1 ? 'writing gives way to searches' : 'writing at full speed',
      ),
    onError,
  });
  const durations = createJobDurations();
  const consumer = consumeIngestUpload(
    queue,
    {
      pool,
      collectionById: catalog.byId,
      embedders,
      extractor,
      publisher: createPublisher({ db: pool.lane('bulk'), throttle }),
      windowChunks: config.worker.batchRows,
      progressChannel,
      onAttempt(report) {
        metrics.attemptEnded(report);
        annotateSpan(spanAttributesOf(report));
      },
    },
    {
      concurrency: config.worker.concurrency,
      lockDurationMs: config.worker.lockDurationMs,
      // Leaves time to close everything else within the deadline of the whole process.
      drainTimeoutMs: Math.round(config.shutdownTimeoutMs * 0.7),
      onDone: durations.record,
      traced,
      observers: { log, metrics },
    },
  );
  const reconciler = startReconciler({
    db: pool.lane('control'),
    enqueue: (uploads) =>
      producer.enqueueMany(
        ingestUploadJob,
        uploads.map(({ id, turn, traceparent }) => ({
          jobId: id,
          payload: { uploadId: id },
          priority: turn,
          traceparent: traceparent ?? undefined,
        })),
      ),
    intervalMs: config.worker.reconcileMs,
    abandonedAfterMs: 2 * config.http.uploadTimeoutMs,
    onReport(report) {
      metrics.reconciled(report);
      if (report.abandoned + report.orphanedChunks > 0) log.info(report, 'reconciled');
    },
    onError,
  });
  const indexBuilder = startIndexBuilder({
    pool,
    ...config.vectorIndex,
    onBuilt(built) {
      const kind = 'field' in built ? 'metadata' : 'indexed' in built ? 'text' : 'vector';
      metrics.indexBuilt(kind, built.durationMs);
      log.info(built, 'index built');
    },
    onError,
  });
  const recallSampler = startRecallSampler({
    pool,
    catalog,
    ...config.search.recall,
    unmeasured: config.search.efSearch,
    onMeasured({ name }, { curve, ...measured }) {
      metrics.recallMeasured(name, measured.recall);
      log.info({ collection: name, ...measured }, 'recall measured');
    },
    onError,
  });
  const backPressure = startBackPressure({
    pool,
    consumer,
    onChange: (change) => log.info(change, 'back-pressure of the database'),
  });
  const webhooks = sendWebhooks(config.webhooks);
  const { stuckMs } = config.worker;
  const waitingJobs = watchWaitingJobs(producer, Math.min(10_000, stuckMs / 3));
  const health = () =>
    workHealth({ ...consumer.status(), waitingSince: waitingJobs.since }, new Date(), { stuckMs });
  const reporter = startWorkReporter({
    pool,
    consumer,
    durations,
    health,
    version: packageJson.version,
    concurrency: config.worker.concurrency,
    wantedConnections: config.pool.size + config.pool.maxOverflow,
    onError: (error) => log.debug({ err: error }, 'heartbeat'),
  });
  let statusServer: StatusServer | undefined;
  const closing = new AbortController();

  const checks = createWorkerChecks({ pool, producer, consumer });
  registerMetrics(registry, {
    version,
    database,
    producer,
    consumer,
    throttle,
    concurrency: config.worker.concurrency,
    stuckMs,
    health,
    checks,
  });

  async function listen({ worker: { host, port, local }, http }: Config): Promise<StatusServer | undefined> {
    if (port === undefined || !apiKeys) return undefined;
    const access = { bootstrapKeys: http.apiKeys, ring: apiKeys, local };
    return startStatusServer({ host, port, access, health, checks, metrics: registry });
  }

  function sendWebhooks({ url, hosts, secret }: Config['webhooks']): AsyncDisposable | undefined {
    if (!secret) return undefined;
    const userAgent = `sluice/${version}`;
    return startWebhookSender({
      db: pool.lane('control'),
      poster: createPoster({ rules: hosts, trustedUrl: url, timeoutMs: webhookTimeoutMs, userAgent }),
      secret,
      concurrency: 8,
      intervalMs: 1_000,
      holdMs: 2 * webhookTimeoutMs,
      onAttempt({ id, uploadId, attempts }, error) {
        metrics.webhookAttempted(!error);
        const about = { webhook_id: id, upload_id: uploadId, attempt: attempts };
        if (error) log.warn({ ...about, error }, 'webhook not delivered');
        else log.info(about, 'webhook delivered');
      },
      onError,
    });
  }

  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  async function close(): Promise<void> {
    log.info('worker stopping');
    closing.abort();
    waitingJobs[Symbol.dispose]();
    backPressure[Symbol.dispose]();
    throttle[Symbol.dispose]();
    const { finished, handedBack } = await consumer.drain();
    await recallSampler[Symbol.asyncDispose]();
    await indexBuilder[Symbol.asyncDispose]();
    await reconciler[Symbol.asyncDispose]();
    await webhooks?.[Symbol.asyncDispose]();
    await reporter[Symbol.asyncDispose]();
    await producer.close();
    await progressChannel[Symbol.asyncDispose]();
    await extractor.close();
    await embedders[Symbol.asyncDispose]();
    await apiKeys?.[Symbol.asyncDispose]();
    await catalog[Symbol.asyncDispose]();
    await database.close();
    redisScripts?.close();
    await tracing?.[Symbol.asyncDispose]();
    // To the end: who asks while it stops gets an answer.
    await statusServer?.[Symbol.asyncDispose]();
    log.info({ finished, handed_back: handedBack }, 'worker stopped');
    resolve();
  }
  try {
    statusServer = await listen(config);
  } catch (error) {
    await close();
    throw error;
  }
  void startWhenConnected(pool, consumer, closing.signal);
  const { concurrency } = config.worker;
  log.info({ mode: config.mode, concurrency, url: statusServer?.url }, 'worker started');
  return {
    url: statusServer?.url,
    health,
    stopped,
    stop() {
      stopping ??= close();
      return stopping;
    },
  };
}
