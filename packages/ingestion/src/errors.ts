/** Codes of this package. `retryable` is whether the same work may succeed later. */
const ingestionErrorCodes = {
  empty_file: { retryable: false, meaning: 'The file has no bytes.' },
  file_too_large: { retryable: false, meaning: 'The file has more bytes than the limit.' },
  idempotency_key_reused: {
    retryable: false,
    meaning: 'Another request has used the same Idempotency-Key for other files or options.',
  },
  batch_not_found: { retryable: false, meaning: 'No batch has that id.' },
  batch_cancelled: { retryable: false, meaning: 'The batch was cancelled and takes no more uploads.' },
  batch_full: { retryable: false, meaning: 'The batch would have more uploads than a batch may have.' },
  document_changed: {
    retryable: true,
    meaning: 'Another version of the document went live in the meantime.',
  },
  too_many_attempts: {
    retryable: false,
    meaning: 'Every worker that took the upload died of it or gave up.',
  },
  worker_lost: {
    retryable: true,
    meaning: 'Several workers in a row have died while they had the upload; it is tried again after a pause.',
  },
  collection_gone: { retryable: false, meaning: 'The collection was deleted.' },
} as const;

export type IngestionErrorCode = keyof typeof ingestionErrorCodes;

export class IngestionError extends Error {
  readonly code: IngestionErrorCode;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: IngestionErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'IngestionError';
    this.code = code;
    this.retryable = ingestionErrorCodes[code].retryable;
    this.details = details;
  }
}
