/** Whether the same request can succeed later, per code. The one place where transient and permanent causes are told apart. */
const retryableByCode = {
  /** The provider asked for fewer requests (HTTP 429); `retryAfterMs` when it said how long to wait. */
  rate_limited: true,
  /** The provider's account is out of credit: waiting does not help, paying does. */
  quota_exceeded: false,
  /** No connection, a connection cut off, an answer of 408, 409, 425 or 5xx, or too many of these to ask again now. */
  provider_unavailable: true,
  /** No complete answer within the time limit of one request. */
  provider_timeout: true,
  /** The provider refuses the request itself: unknown model, text too long, unknown parameter. */
  provider_rejected: false,
  /** HTTP 401 or 403. */
  authentication_failed: false,
  /** The files of a local model, or the packages that run it, are missing or cannot be used. */
  model_unavailable: false,
  /** The answer is not an embeddings response. */
  invalid_answer: true,
  /** The answer has fewer vectors than texts were sent, or not one for each of them. */
  short_answer: true,
  /** Vectors of another length than the one configured: the model and the setting do not belong together. */
  wrong_dimensions: false,
  /** A vector with a component that is not a finite number, or of length zero. */
  invalid_vector: true,
  /** The embedder was closed before the texts were embedded. */
  closed: true,
} as const satisfies Record<string, boolean>;

export type EmbeddingErrorCode = keyof typeof retryableByCode;

export const embeddingErrorCodes = Object.keys(retryableByCode) as readonly EmbeddingErrorCode[];

interface EmbeddingErrorDetails {
  /** How long to wait before another try, where the provider said so. Milliseconds. */
  retryAfterMs?: number | undefined;
  /** The HTTP status of the provider's answer, where there was one. */
  status?: number | undefined;
  /** The provider's own id of the request, for its support. */
  requestId?: string | undefined;
  /** Which of the texts was at fault, where one was. */
  textIndex?: number | undefined;
  cause?: unknown;
}

export class EmbeddingError extends Error {
  override readonly name = 'EmbeddingError';
  readonly code: EmbeddingErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly textIndex: number | undefined;

  constructor(code: EmbeddingErrorCode, message: string, details: EmbeddingErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = retryableByCode[code];
    this.retryAfterMs = details.retryAfterMs;
    this.status = details.status;
    this.requestId = details.requestId;
    this.textIndex = details.textIndex;
  }
}
