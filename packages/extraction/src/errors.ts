/** What can go wrong while a document is read. `retryable` says whether the same bytes may succeed later. */
export const errorCodes = {
  unknown_format: { retryable: false, meaning: 'The content is in none of the formats that are read.' },
  empty_document: { retryable: false, meaning: 'The file has no bytes.' },
  no_text: {
    retryable: false,
    meaning: 'The document is readable but holds no text, for example a scanned PDF.',
  },
  encrypted_document: { retryable: false, meaning: 'The document needs a password.' },
  broken_document: {
    retryable: false,
    meaning: 'The content breaks the rules of its format, or is cut off.',
  },
  undecodable_text: { retryable: false, meaning: 'The bytes are not text in any encoding that is known.' },
  expanded_too_large: {
    retryable: false,
    meaning: 'An archive inflates beyond the limit of bytes or entries.',
  },
  too_many_pages: { retryable: false, meaning: 'The document has more pages than the limit.' },
  extraction_timeout: { retryable: false, meaning: 'Reading took longer than the deadline.' },
  extraction_out_of_memory: {
    retryable: false,
    meaning: 'Reading needed more memory than a thread may use.',
  },
  extraction_crashed: { retryable: true, meaning: 'The thread ended without an answer.' },
  source_unreadable: { retryable: true, meaning: 'The file could not be opened or read.' },
  extractor_closed: { retryable: true, meaning: 'The extractor was closed before the document was done.' },
  invalid_options: { retryable: false, meaning: 'A limit or a chunking option is out of range.' },
} as const;

export type ExtractionErrorCode = keyof typeof errorCodes;

/** Facts about the error, by code: `line`, `page`, `entry`, `limit`, `detected`, `known`, ... */
export type ErrorDetails = Record<string, string | number | boolean | readonly string[]>;

export class ExtractionError extends Error {
  override readonly name = 'ExtractionError';
  readonly code: ExtractionErrorCode;
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(
    code: ExtractionErrorCode,
    message: string,
    options: { details?: ErrorDetails; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = errorCodes[code].retryable;
    this.details = options.details ?? {};
  }
}

/** An error in a shape that crosses threads. */
export interface SerializedError {
  code: ExtractionErrorCode;
  message: string;
  details: ErrorDetails;
  cause: string | null;
}

export function serializeError(error: ExtractionError): SerializedError {
  const cause = error.cause === undefined ? null : String(error.cause);
  return { code: error.code, message: error.message, details: error.details, cause };
}

export function reviveError({ code, message, details, cause }: SerializedError): ExtractionError {
  return new ExtractionError(code, message, {
    details,
    ...(cause === null ? {} : { cause: new Error(cause) }),
  });
}

const ioErrors = new Set(['ENOENT', 'EACCES', 'EPERM', 'EIO', 'EMFILE', 'ENFILE', 'EISDIR', 'EBUSY']);

/**
 * Gives every failure a code. Parsers throw whatever they like on bad input, so what is neither ours nor a failure to
 * read the file counts as a broken document.
 */
export function toExtractionError(error: unknown): ExtractionError {
  if (error instanceof ExtractionError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && ioErrors.has(code)) {
    return new ExtractionError('source_unreadable', `The file could not be read: ${code}.`, { cause: error });
  }
  const reason = typeof message === 'string' && message !== '' ? message.slice(0, 500) : String(error);
  return new ExtractionError('broken_document', `The document could not be read: ${reason}`, {
    cause: error,
  });
}
