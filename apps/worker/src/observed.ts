import type { JobContext, JobDefinition, JobHandler } from '@sluice/queue';
import { annotateSpan, type IngestionMetrics, type Logger } from '@sluice/telemetry';

/** Fields for the line of a job in the log. */
type Fields = Record<string, unknown>;

interface Failure {
  code?: string;
  retryable?: boolean;
  retryAfterMs?: number;
  message?: string;
}

export interface Observers {
  log: Logger;
  metrics: Pick<IngestionMetrics, 'jobEnded' | 'jobStalled'>;
}

/** Wraps a consumer's handler once with what all of them need: one line when it ends, however it ends. */
export function observed<P>(
  job: JobDefinition<P>,
  { log, metrics }: Observers,
  /** `about` adds what joins the job to a request, for the line that ends it however it ends. Resolves with how it went. */
  work: (payload: P, context: JobContext, about: (fields: Fields) => void) => Promise<Fields>,
): JobHandler<P> {
  return async (payload, context) => {
    const start = performance.now();
    const line: Fields = { job: job.name, job_id: context.jobId, attempt: context.attempt };
    function about(fields: Fields): void {
      Object.assign(line, fields);
      annotateSpan({
        'sluice.upload_id': line.upload_id,
        'sluice.request_id': line.request_id ?? undefined,
      });
    }
    function end(outcome: string, errorType = ''): { duration_ms: number } {
      const durationMs = performance.now() - start;
      metrics.jobEnded({ job: job.name, outcome, errorType, durationMs });
      return { duration_ms: Math.round(durationMs) };
    }
    try {
      const report = await work(payload, context, about);
      annotateSpan({ 'sluice.outcome': report.outcome });
      log.info({ ...line, ...report, ...end('done') }, 'job done');
    } catch (error) {
      const { code, retryable, retryAfterMs, message } = error as Failure;
      if (context.signal.aborted) log.info({ ...line, ...end('interrupted') }, 'job interrupted');
      else if (context.mayPutOff && retryAfterMs !== undefined)
        log.info({ ...line, code, error: message, ...end('put_off', code) }, 'job put off');
      else
        log.warn(
          { ...line, code, retryable, error: message, ...end('failed', code ?? 'unknown') },
          'job failed',
        );
      throw error;
    }
  };
}
