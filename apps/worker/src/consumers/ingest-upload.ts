import { type IngestionDependencies, ingestUpload } from '@sluice/ingestion';
import { type Consumer, createConsumer, ingestUploadJob, type QueueBackend } from '@sluice/queue';
import { type Observers, observed } from '../observed.ts';

export interface IngestUploadConsumerOptions {
  concurrency: number;
  lockDurationMs: number;
  drainTimeoutMs: number;
  /** Told how long each job took that was done, in ms. */
  onDone(durationMs: number): void;
  traced: boolean;
  observers: Observers;
}

/** Job in, one call into the domain, outcome out. */
export function consumeIngestUpload(
  backend: QueueBackend,
  ingestion: IngestionDependencies,
  { concurrency, lockDurationMs, drainTimeoutMs, onDone, traced, observers }: IngestUploadConsumerOptions,
): Consumer {
  const { log, metrics } = observers;
  const handler = observed(
    ingestUploadJob,
    observers,
    async ({ uploadId }, { attempt, mayPutOff, signal, reportProgress }, about) => {
      about({ upload_id: uploadId });
      const { outcome } = await ingestUpload(ingestion, uploadId, {
        signal,
        lastAttempt: attempt >= ingestUploadJob.retry.attempts,
        mayPutOff,
        onClaimed: ({ requestId, fileName }) => about({ request_id: requestId, file: fileName }),
        onProgress: (done, total) => void reportProgress({ done, total: total ?? done }),
      });
      return { outcome };
    },
  );
  return createConsumer(backend, ingestUploadJob, handler, {
    concurrency,
    lockDurationMs,
    stalledIntervalMs: Math.max(1_000, lockDurationMs / 2),
    drainTimeoutMs,
    traced,
    hooks: {
      onCompleted: ({ durationMs }) => onDone(durationMs),
      onStalled({ jobId }) {
        metrics.jobStalled();
        log.warn({ job_id: jobId, upload_id: jobId }, 'job lost its worker; it goes to another one');
      },
      onHandedBack: ({ jobId }) =>
        log.info({ job_id: jobId, upload_id: jobId }, 'job handed back to the queue'),
      onError: (error) => log.error({ err: error }, 'queue'),
    },
  });
}
