/** Codes of this package. `retryable` is whether the same request may succeed later. */
const outboundErrorCodes = {
  url_not_allowed: { retryable: false, meaning: 'The settings do not allow requests to that URL.' },
  url_refused: { retryable: false, meaning: 'The server answered with something other than the file.' },
  url_unreachable: { retryable: true, meaning: 'The server cannot be reached, or it broke off.' },
  url_timeout: { retryable: true, meaning: 'The server did not send everything in time.' },
  too_large: { retryable: false, meaning: 'The file has more bytes than the limit.' },
} as const;

export type OutboundErrorCode = keyof typeof outboundErrorCodes;

/** Its message is for the one who gave the URL: it names no address that the host has resolved to. */
export class OutboundError extends Error {
  readonly code: OutboundErrorCode;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: OutboundErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'OutboundError';
    this.code = code;
    this.retryable = outboundErrorCodes[code].retryable;
    this.details = details;
  }
}
