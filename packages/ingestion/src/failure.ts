import { EmbeddingError } from '@sluice/embeddings';
import { ExtractionError } from '@sluice/extraction';
import { isTransient, sqlState } from '@sluice/pool';
import { StoreError, type UploadProblem, type UploadStage } from '@sluice/store';
import { IngestionError } from './errors.ts';

/**
 * The one place where causes that go away by themselves are told from those that do not: typed errors say it of
 * themselves, the database by its SQLSTATE, and what nobody foresaw is tried again within the job's bounded attempts.
 */
export function describeFailure(error: unknown, stage: UploadStage): UploadProblem {
  if (
    error instanceof ExtractionError ||
    error instanceof EmbeddingError ||
    error instanceof IngestionError ||
    error instanceof StoreError
  ) {
    return { code: error.code, message: error.message, stage, retryable: error.retryable };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (isTransient(error)) return { code: 'database_unavailable', message, stage, retryable: true };
  const state = sqlState(error);
  // Class 22, 23: the data itself is refused; it will be refused again.
  if (state?.startsWith('22') || state?.startsWith('23')) {
    return { code: 'rejected_by_database', message, stage, retryable: false };
  }
  return { code: 'internal', message, stage, retryable: true };
}

/**
 * How long the embeddings provider wants to be left alone, or is to be, in milliseconds. An attempt that met with that says nothing of
 * its upload, so it does not have to count.
 */
export function pauseOfProvider(error: unknown): number | undefined {
  return error instanceof EmbeddingError && error.retryable ? error.retryAfterMs : undefined;
}

/** What the queue sees: it repeats a job unless `retryable` is false, and puts it off for `retryAfterMs` where that is given. */
export class UploadFailed extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    { code, message, retryable }: UploadProblem,
    { retryAfterMs, ...options }: ErrorOptions & { retryAfterMs?: number | undefined },
  ) {
    super(`${code}: ${message}`, options);
    this.name = 'UploadFailed';
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}
