export type EmbeddedErrorCode =
  | 'data_folder_in_use'
  | 'data_folder_not_writable'
  | 'data_folder_damaged'
  | 'start_failed';

/** The embedded Postgres could not start. The message says what to do. */
export class EmbeddedError extends Error {
  readonly code: EmbeddedErrorCode;

  constructor(code: EmbeddedErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EmbeddedError';
    this.code = code;
  }
}
