export type SearchErrorCode =
  | 'collections_differ'
  | 'cursor_invalid'
  | 'cursor_expired'
  | 'overloaded'
  | 'text_search_unavailable';

/** Base error of this package. `details` holds what the message names. */
export class SearchError extends Error {
  readonly code: SearchErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: SearchErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.name = 'SearchError';
    this.code = code;
    this.details = details;
  }
}
