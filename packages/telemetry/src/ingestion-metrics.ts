import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface AttemptReading {
  outcome: string;
  code: string | undefined;
  stageMs: Readonly<Partial<Record<string, number>>>;
  chunks: number;
  bytes: number;
}

export interface IngestionMetrics {
  /** A job has ended here. `errorType` is empty when it was done. */
  jobEnded(end: { job: string; outcome: string; errorType: string; durationMs: number }): void;
  jobStalled(): void;
  attemptEnded(attempt: AttemptReading): void;
  reconciled(report: { enqueued: number; abandoned: number; orphanedChunks: number }): void;
  indexBuilt(kind: 'vector' | 'metadata' | 'text', durationMs: number): void;
  /** The name of the collection stays here. */
  recallMeasured(collection: string, recall: number): void;
  webhookAttempted(delivered: boolean): void;
}

// Seconds. A small document takes a few hundredths, a book minutes.
const jobBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const buildBuckets = [0.1, 1, 10, 60, 300, 1_800, 7_200];
const rememberedCollections = 1_000;
// Collections that are searched and written to are measured every hour; others may be gone.
const recallKeptMs = 24 * 3_600_000;

/** To be told of what a worker does. https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/ */
export function createIngestionMetrics(registry: Registry): IngestionMetrics {
  const registers = [registry];
  const jobs = new Histogram({
    name: 'messaging_process_duration_seconds',
    help: 'Jobs processed, by queue and by how they ended here.',
    labelNames: ['messaging_system', 'messaging_destination_name', 'outcome', 'error_type'],
    buckets: jobBuckets,
    registers,
  });
  const uploads = new Counter({
    name: 'sluice_uploads_total',
    help: 'Attempts at uploads by outcome; failed is final, retried and put_off come again. code: of what went wrong.',
    labelNames: ['outcome', 'code'],
    registers,
  });
  const stages = new Histogram({
    name: 'sluice_upload_stage_duration_seconds',
    help: 'Time of one attempt by stage; what goes on at the same time counts for each.',
    labelNames: ['stage'],
    buckets: jobBuckets,
    registers,
  });
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const chunks = counter('sluice_ingested_chunks_total', 'Chunks of versions that were made live.');
  const bytes = counter('sluice_ingested_bytes_total', 'Bytes of files that were made searchable.');
  const stalled = counter('sluice_jobs_stalled_total', 'Jobs whose worker vanished, found by this one.');
  const reconciled = new Counter({
    name: 'sluice_reconciled_total',
    help: 'What was brought back in line: jobs that were lost, uploads abandoned half-way, chunks of nobody.',
    labelNames: ['what'],
    registers,
  });
  const builds = new Histogram({
    name: 'sluice_index_build_duration_seconds',
    help: 'Indexes built, by kind.',
    labelNames: ['kind'],
    buckets: buildBuckets,
    registers,
  });
  const recalls = new Map<string, { recall: number; at: number }>();
  const measured = counter('sluice_recall_measurements_total', 'Measurements of recall.');
  new Gauge({
    name: 'sluice_recall_lowest_ratio',
    help: 'Lowest recall at 10 among the collections that this worker has measured in the last day; 1 if none.',
    registers,
    collect() {
      const since = performance.now() - recallKeptMs;
      const fresh = [...recalls.values()].filter(({ at }) => at > since);
      this.set(Math.min(1, ...fresh.map(({ recall }) => recall)));
    },
  });
  const webhooks = new Counter({
    name: 'sluice_webhook_attempts_total',
    help: 'Messages sent to webhooks, by whether they were taken.',
    labelNames: ['outcome'],
    registers,
  });
  for (const what of ['jobs', 'uploads', 'chunks']) reconciled.inc({ what }, 0);

  return {
    jobEnded({ job, outcome, errorType, durationMs }) {
      const labels = { messaging_system: 'bullmq', messaging_destination_name: job };
      jobs.observe({ ...labels, outcome, error_type: errorType }, durationMs / 1_000);
    },
    jobStalled: () => stalled.inc(),
    attemptEnded(attempt) {
      uploads.inc({ outcome: attempt.outcome, code: attempt.code ?? '' });
      for (const [stage, ms] of Object.entries(attempt.stageMs)) stages.observe({ stage }, (ms ?? 0) / 1_000);
      if (attempt.outcome !== 'ready') return;
      chunks.inc(attempt.chunks);
      bytes.inc(attempt.bytes);
    },
    reconciled({ enqueued, abandoned, orphanedChunks }) {
      reconciled.inc({ what: 'jobs' }, enqueued);
      reconciled.inc({ what: 'uploads' }, abandoned);
      reconciled.inc({ what: 'chunks' }, orphanedChunks);
    },
    indexBuilt: (kind, durationMs) => builds.observe({ kind }, durationMs / 1_000),
    recallMeasured(collection, recall) {
      measured.inc();
      recalls.delete(collection);
      recalls.set(collection, { recall, at: performance.now() });
      if (recalls.size > rememberedCollections) recalls.delete(recalls.keys().next().value as string);
    },
    webhookAttempted: (delivered) => webhooks.inc({ outcome: delivered ? 'delivered' : 'failed' }),
  };
}
