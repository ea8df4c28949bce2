/**
 * - `cache_unavailable`: the server did not answer; only `ping` throws it.
 * - `cache_invalid_option`: an option is out of range.
 */
export type CacheErrorCode = 'cache_unavailable' | 'cache_invalid_option';

export class CacheError extends Error {
  override readonly name = 'CacheError';
  readonly code: CacheErrorCode;

  constructor(code: CacheErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export function requireAtLeast(option: string, value: number, least: number): void {
  if (Number.isFinite(value) && value >= least) return;
  throw new CacheError('cache_invalid_option', `${option} must be at least ${least}, got ${value}`);
}
