import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, type Environment, loadConfig, requireServices } from '@sluice/config';
import { createPublisher, createWriteThrottle } from '@sluice/ingestion';
import { createJobDurations } from '@sluice/monitoring';
import type { Pool } from '@sluice/pool';
import type { Consumer } from '@sluice/queue';
import { readSearchLatency } from '@sluice/store';
import { annotateSpan, createIngestionMetrics, createLogger, Registry } from '@sluice/telemetry';
import packageJson from '../package.json' with { type: 'json' };
import { startBackPressure } from './back-pressure.ts';
import { consumeIngestUpload } from './consumers/ingest-upload.ts';
import { openConnections } from './open-connections.ts';
import { registerMetrics } from './register-metrics.ts';
import { startWorkReporter } from './report-work.ts';
import { spanAttributesOf } from './span-attributes.ts';
import { startUpkeep } from './start-upkeep.ts';
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
  const { queue } = requireServices(config);
  const log = createLogger({ name: 'worker', ...config.log });
  const onError = (error: unknown) => log.error({ err: error }, 'background');
  const registry = new Registry();
  const { version } = packageJson;
  const metrics = createIngestionMetrics(registry);
  const connections = await openConnections({ config, log, registry, version, onError });
  const { database, catalog, embedders, extractor, producer, progressChannel, apiKeys, traced } = connections;
  const { pool } = database;
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
  const upkeep = startUpkeep({ config, pool, catalog, producer, metrics, log, version, onError });
  const backPressure = startBackPressure({
    pool,
    consumer,
    onChange: (change) => log.info(change, 'back-pressure of the database'),
  });
  const { stuckMs } = config.worker;
  const waitingJobs = watchWaitingJobs(producer, Math.min(10_000, stuckMs / 3));
  const health = () =>
    workHealth({ ...consumer.status(), waitingSince: waitingJobs.since }, new Date(), { stuckMs });
  const reporter = startWorkReporter({
    pool,
    consumer,
    durations,
    health,
    version,
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

  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  async function close(): Promise<void> {
    log.info('worker stopping');
    closing.abort();
    waitingJobs[Symbol.dispose]();
    backPressure[Symbol.dispose]();
    throttle[Symbol.dispose]();
    const { finished, handedBack } = await consumer.drain();
    await upkeep[Symbol.asyncDispose]();
    await reporter[Symbol.asyncDispose]();
    await connections[Symbol.asyncDispose]();
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
