import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
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
import { createJobDurations, createPoolHistory, reportPool, startHeartbeat } from '@sluice/monitoring';
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
import { createCatalog, notablePoolEvents, openDatabase, readSearchLatency } from '@sluice/store';
import { createLogger, logEvents } from '@sluice/telemetry';
import packageJson from '../package.json' with { type: 'json' };
import { startBackPressure } from './back-pressure.ts';
import { consumeIngestUpload } from './consumers/ingest-upload.ts';

export interface RunningWorker {
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

  const redisScripts = queue.kind === 'redis' ? openRedisScripts({ url: queue.url, onError }) : undefined;
  const database = openDatabase({
    connectionString: databaseUrl,
    pool: config.pool,
    applicationName: 'sluice-worker',
    dedicated: databaseConnections(queue, { producers: 1, consumers: 1 }),
    budget: { ...config.budget, redis: redisScripts, weight: 1 },
    reads: { ...config.reads, urls: [] },
    onEvent: logEvents(log, 'pool', notablePoolEvents),
  });
  const { pool } = database;
  const catalog = createCatalog(pool, { changes: 'listen', onError });
  const embedders = createEmbedders({
    ...config.embedding,
    redis: redisScripts,
    onRateChange: (change) => log.warn(change, 'embedding rate limits'),
  });
  const extractor = createExtractor(config.extraction);
  const producer = createProducer(queue, { onError });
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
    },
    {
      concurrency: config.worker.concurrency,
      lockDurationMs: config.worker.lockDurationMs,
      // Leaves time to close everything else within the deadline of the whole process.
      drainTimeoutMs: Math.round(config.shutdownTimeoutMs * 0.7),
      onDone: durations.record,
      log,
    },
  );
  const reconciler = startReconciler({
    db: pool.lane('control'),
    enqueue: (uploads) =>
      producer.enqueueMany(
        ingestUploadJob,
        uploads.map(({ id, turn }) => ({ jobId: id, payload: { uploadId: id }, priority: turn })),
      ),
    intervalMs: config.worker.reconcileMs,
    abandonedAfterMs: 2 * config.http.uploadTimeoutMs,
    onReport(report) {
      if (report.abandoned + report.orphanedChunks > 0) log.info(report, 'reconciled');
    },
    onError,
  });
  const indexBuilder = startIndexBuilder({
    pool,
    ...config.vectorIndex,
    onBuilt: (built) => log.info(built, 'index built'),
    onError,
  });
  const recallSampler = startRecallSampler({
    pool,
    catalog,
    ...config.search.recall,
    unmeasured: config.search.efSearch,
    onMeasured: ({ name }, { curve, ...measured }) =>
      log.info({ collection: name, ...measured }, 'recall measured'),
    onError,
  });
  const backPressure = startBackPressure({
    pool,
    consumer,
    onChange: (change) => log.info(change, 'back-pressure of the database'),
  });
  const webhooks = sendWebhooks(config.webhooks);
  const history = createPoolHistory(pool.status);
  const heartbeat = startHeartbeat({
    db: pool.lane('control'),
    process: {
      id: randomUUID(),
      role: 'worker',
      host: hostname(),
      pid: process.pid,
      version: packageJson.version,
      startedAt: new Date(),
    },
    read() {
      const { state, active, lastActivityAt } = consumer.status();
      const { seconds, jobs } = durations.mean();
      return {
        pool: reportPool(pool.status(), history.use()),
        wanted: config.pool.size + config.pool.maxOverflow,
        work: {
          state,
          concurrency: config.worker.concurrency,
          active,
          progressAt: lastActivityAt?.toISOString() ?? null,
          healthy: true,
          detail: null,
          serviceSeconds: seconds,
          jobs,
        },
      };
    },
    onError: (error) => log.debug({ err: error }, 'heartbeat'),
  });
  const closing = new AbortController();
  void startWhenConnected(pool, consumer, closing.signal);
  log.info({ mode: config.mode, concurrency: config.worker.concurrency }, 'worker started');

  function sendWebhooks({ url, hosts, secret }: Config['webhooks']): AsyncDisposable | undefined {
    if (!secret) return undefined;
    const userAgent = `sluice/${packageJson.version}`;
    return startWebhookSender({
      db: pool.lane('control'),
      poster: createPoster({ rules: hosts, trustedUrl: url, timeoutMs: webhookTimeoutMs, userAgent }),
      secret,
      concurrency: 8,
      intervalMs: 1_000,
      holdMs: 2 * webhookTimeoutMs,
      onAttempt({ id, uploadId, attempts }, error) {
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
    backPressure[Symbol.dispose]();
    throttle[Symbol.dispose]();
    const { finished, handedBack } = await consumer.drain();
    await recallSampler[Symbol.asyncDispose]();
    await indexBuilder[Symbol.asyncDispose]();
    await reconciler[Symbol.asyncDispose]();
    await webhooks?.[Symbol.asyncDispose]();
    history[Symbol.dispose]();
    await heartbeat[Symbol.asyncDispose]();
    await producer.close();
    await progressChannel[Symbol.asyncDispose]();
    await extractor.close();
    await embedders[Symbol.asyncDispose]();
    await catalog[Symbol.asyncDispose]();
    await database.close();
    redisScripts?.close();
    log.info({ finished, handed_back: handedBack }, 'worker stopped');
    resolve();
  }
  return {
    stopped,
    stop() {
      stopping ??= close();
      return stopping;
    },
  };
}
