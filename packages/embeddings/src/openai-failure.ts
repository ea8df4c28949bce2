import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { EmbeddingError, type EmbeddingErrorCode } from './embedding-error.ts';
import { providerWaitMs } from './provider-wait.ts';

/** A provider may quote the texts back; a log line needs the beginning only. */
const longestMessage = 500;

/** Turns whatever the `openai` package throws into an EmbeddingError. `redact` takes the key out of texts. */
export function openAiFailure(error: unknown, redact: (text: string) => string): EmbeddingError {
  if (error instanceof EmbeddingError) return error;
  if (error instanceof APIConnectionTimeoutError) {
    return new EmbeddingError('provider_timeout', 'The embeddings endpoint did not answer in time.');
  }
  if (error instanceof APIError && typeof error.status === 'number') return statusFailure(error, redact);
  if (error instanceof SyntaxError) {
    return new EmbeddingError('invalid_answer', 'The embeddings endpoint answered broken JSON.', {
      cause: error,
    });
  }
  const reason = rootMessage(error instanceof APIConnectionError ? (error.cause ?? error) : error);
  return new EmbeddingError(
    'provider_unavailable',
    `The embeddings endpoint cannot be reached: ${redact(reason)}`,
    {
      cause: error,
    },
  );
}

/** Without a `cause`: the package's error carries the unredacted body. */
function statusFailure(error: APIError, redact: (text: string) => string): EmbeddingError {
  const status = error.status as number;
  const message = redact(error.message).slice(0, longestMessage);
  return new EmbeddingError(codeOf(status, error.code), `The embeddings endpoint answered ${message}`, {
    status,
    requestId: error.requestID ?? undefined,
    retryAfterMs: providerWaitMs(error.headers),
  });
}

function codeOf(status: number, providerCode: string | null | undefined): EmbeddingErrorCode {
  if (status === 401 || status === 403) return 'authentication_failed';
  if (status === 429) return providerCode === 'insufficient_quota' ? 'quota_exceeded' : 'rate_limited';
  if (status >= 500 || status === 408 || status === 409 || status === 425) return 'provider_unavailable';
  return 'provider_rejected';
}

/** `fetch failed` says nothing; what says something is at the end of the chain of causes. */
function rootMessage(error: unknown): string {
  let current = error;
  for (let depth = 0; depth < 8 && current instanceof Error && current.cause instanceof Error; depth += 1) {
    current = current.cause;
  }
  if (!(current instanceof Error)) return String(current);
  const { code } = current as NodeJS.ErrnoException;
  return current.message || code || current.name;
}
