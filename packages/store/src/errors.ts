export type StoreErrorCode =
  | 'collection_not_found'
  | 'collection_exists'
  | 'collection_changed'
  | 'document_changed'
  | 'unsupported_dimensions'
  | 'wrong_vector_length'
  | 'missing_extension'
  | 'unsupported_server'
  | 'schema_too_new';

/** Base error of this package. `details` holds the figures that the message names. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable = false;

  constructor(
    code: StoreErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
    this.details = details;
  }
}
