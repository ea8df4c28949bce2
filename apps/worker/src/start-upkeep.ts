import type { Config } from '@sluice/config';
import { startIndexBuilder, startReconciler, startWebhookSender } from '@sluice/ingestion';
import { createPoster } from '@sluice/outbound';
import type { Pool } from '@sluice/pool';
import { ingestUploadJob, type Producer } from '@sluice/queue';
import { startRecallSampler } from '@sluice/search';
import type { Catalog } from '@sluice/store';
import type { IngestionMetrics, Logger } from '@sluice/telemetry';

export interface UpkeepOptions {
  config: Config;
  pool: Pool;
  catalog: Catalog;
  producer: Producer;
  metrics: IngestionMetrics;
  log: Logger;
  version: string;
  onError(error: unknown): void;
}

// A receiver is to take the message and work on it later.
const webhookTimeoutMs = 15_000;

/** What workers look after beside their jobs, each by one of them at a time. */
export function startUpkeep(options: UpkeepOptions): AsyncDisposable {
  const { config, pool, catalog, producer, metrics, log, version, onError } = options;
  const started = new AsyncDisposableStack();

  const { url, hosts, secret } = config.webhooks;
  if (secret) {
    const userAgent = `sluice/${version}`;
    started.use(
      startWebhookSender({
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
      }),
    );
  }
  started.use(
    startReconciler({
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
    }),
  );
  started.use(
    startIndexBuilder({
      pool,
      ...config.vectorIndex,
      onBuilt(built) {
        const kind = 'field' in built ? 'metadata' : 'indexed' in built ? 'text' : 'vector';
        metrics.indexBuilt(kind, built.durationMs);
        log.info(built, 'index built');
      },
      onError,
    }),
  );
  started.use(
    startRecallSampler({
      pool,
      catalog,
      ...config.search.recall,
      unmeasured: config.search.efSearch,
      onMeasured({ name }, { curve, ...measured }) {
        metrics.recallMeasured(name, measured.recall);
        log.info({ collection: name, ...measured }, 'recall measured');
      },
      onError,
    }),
  );
  return started;
}
