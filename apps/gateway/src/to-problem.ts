import type { ProblemCode } from '@sluice/contract';
import { EmbeddingError } from '@sluice/embeddings';
import { ExtractionError, formats } from '@sluice/extraction';
import { IngestionError, type IngestionErrorCode } from '@sluice/ingestion';
import { OutboundError } from '@sluice/outbound';
import { isTransient, PoolError } from '@sluice/pool';
import { SearchError } from '@sluice/search';
import { StoreError, type StoreErrorCode } from '@sluice/store';
import { HttpProblem } from './http-problem.ts';

const storeCodes: Partial<Record<StoreErrorCode, ProblemCode>> = {
  collection_not_found: 'collection_not_found',
  collection_exists: 'collection_exists',
  document_changed: 'document_changed',
  unsupported_dimensions: 'unsupported_dimensions',
  wrong_vector_length: 'wrong_vector_length',
};

// What a request can run into; the rest happens to uploads.
const refusals: ReadonlySet<string> = new Set<ProblemCode & IngestionErrorCode>([
  'empty_file',
  'file_too_large',
  'idempotency_key_reused',
  'batch_not_found',
  'batch_cancelled',
  'batch_full',
]);
const isProblem = (code: string): code is ProblemCode & IngestionErrorCode => refusals.has(code);

/** What Express' own body parsers throw. */
function fromBodyParser(error: { type?: string; limit?: number }): HttpProblem | undefined {
  switch (error.type) {
    case 'entity.parse.failed':
      return new HttpProblem('invalid_json', `the body is not JSON: ${(error as Error).message}`);
    case 'entity.too.large':
      return new HttpProblem(
        'file_too_large',
        `the body is larger than ${error.limit} bytes; send larger documents as multipart/form-data`,
        {
          limit: error.limit,
        },
      );
    case 'request.aborted':
      return new HttpProblem('invalid_request', 'the request ended before its body did');
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new HttpProblem('unsupported_media_type', (error as Error).message);
    default:
      return undefined;
  }
}

/** Others are being answered, so that a pause helps, which it does not when the database is away. */
function overloaded(error: Error, retryAfterMs: number | undefined): HttpProblem {
  const retryAfterSeconds = Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1_000));
  const detail = `there is more to do than can be answered in time, and this request was not begun; send it again after ${retryAfterSeconds} s`;
  return new HttpProblem('overloaded', detail, { retryAfterSeconds }, { cause: error });
}

/** The one table from errors of the domain to answers. What it does not know is a fault of ours. */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof ExtractionError && error.code === 'unknown_format') {
    const known = formats.map(({ format, extensions, mediaTypes }) => ({
      format,
      extensions,
      media_types: mediaTypes,
    }));
    return new HttpProblem('unknown_format', error.message, { known_formats: known });
  }
  if (error instanceof ExtractionError) return new HttpProblem('invalid_request', error.message);
  if (error instanceof IngestionError && isProblem(error.code)) {
    return new HttpProblem(error.code, error.message, { ...error.details });
  }
  if (error instanceof IngestionError && error.code === 'collection_gone') {
    return new HttpProblem('collection_not_found', error.message);
  }
  if (error instanceof OutboundError) {
    const code = error.code === 'too_large' ? 'file_too_large' : error.code;
    return new HttpProblem(code, error.message, { ...error.details });
  }
  if (error instanceof StoreError) {
    const code = storeCodes[error.code];
    if (code) return new HttpProblem(code, error.message, { ...error.details });
  }
  if (error instanceof SearchError) {
    if (error.code === 'overloaded') return overloaded(error, error.details.retryAfterMs as number);
    if (error.code !== 'cursor_invalid')
      return new HttpProblem(error.code, error.message, { ...error.details });
    return new HttpProblem('invalid_request', `/cursor: ${error.message}`, {
      errors: [{ path: '/cursor', message: error.message }],
    });
  }
  if (error instanceof EmbeddingError) {
    const retryAfterSeconds = Math.ceil((error.retryAfterMs ?? 5_000) / 1_000);
    return new HttpProblem('embedding_unavailable', error.message, {
      cause: error.code,
      ...(error.retryable && { retryAfterSeconds }),
    });
  }
  if (error instanceof PoolError && error.code === 'overloaded') return overloaded(error, error.retryAfterMs);
  if (isTransient(error)) {
    const detail = 'the database does not answer or has no connection free; nothing was lost, try again soon';
    return new HttpProblem('database_unavailable', detail, { retryAfterSeconds: 2 }, { cause: error });
  }
  const fromParser = fromBodyParser((error ?? {}) as { type?: string });
  return (
    fromParser ??
    new HttpProblem(
      'internal',
      'something went wrong on our side; the log has it under this request id',
      {},
      { cause: error },
    )
  );
}
