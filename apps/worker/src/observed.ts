import type { JobContext, JobDefinition, JobHandler } from '@sluice/queue';
import type { Logger } from '@sluice/telemetry';

/** What a job has to say of itself in the log, with the ids that join it to a request. */
type Report = Record<string, unknown>;

interface Failure {
  code?: string;
  retryable?: boolean;
  retryAfterMs?: number;
  message?: string;
}

/** Wraps a consumer's handler once with what all of them need: one line when it ends, however it ends. */
export function observed<P>(
  job: JobDefinition<P>,
  log: Logger,
  work: (payload: P, context: JobContext) => Promise<Report>,
): JobHandler<P> {
  return async (payload, context) => {
    const start = performance.now();
    const line = { job: job.name, job_id: context.jobId, attempt: context.attempt };
    const duration = () => ({ duration_ms: Math.round(performance.now() - start) });
    try {
      const report = await work(payload, context);
      log.info({ ...line, ...report, ...duration() }, 'job done');
    } catch (error) {
      const { code, retryable, retryAfterMs, message } = error as Failure;
      if (context.signal.aborted) log.info({ ...line, ...duration() }, 'job interrupted');
      else if (context.mayPutOff && retryAfterMs !== undefined)
        log.info({ ...line, code, error: message, ...duration() }, 'job put off');
      else log.warn({ ...line, code, retryable, error: message, ...duration() }, 'job failed');
      throw error;
    }
  };
}
