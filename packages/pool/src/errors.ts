export type PoolErrorCode =
  | 'acquire_timeout'
  | 'acquire_aborted'
  | 'connect_failed'
  | 'pool_closed'
  | 'lease_released'
  | 'transaction_failed'
  | 'unknown_lane';

/** Base error of this package. SQL errors of the server are passed through as `pg` reports them. */
export class PoolError extends Error {
  readonly code: PoolErrorCode;
  /** Another attempt later may succeed. */
  readonly retryable: boolean;

  constructor(code: PoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PoolError';
    this.code = code;
    this.retryable = code === 'acquire_timeout' || code === 'connect_failed';
  }
}

/** SQLSTATE of an error that came from the server, else undefined. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether the server ended the session with this error. Its socket may close a moment later. */
export function endsSession(error: unknown): boolean {
  const { severity } = (error ?? {}) as { severity?: unknown };
  return severity === 'FATAL' || severity === 'PANIC' || /^57P0[1235]$/.test(sqlState(error) ?? '');
}

const transientStates = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '53300', // too_many_connections
  '55P03', // lock_not_available
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
]);
const transientSocketCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND']);

/** Whether the same work may succeed when it is done again later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof PoolError) return error.retryable;
  const state = sqlState(error);
  if (state !== undefined) return transientStates.has(state) || state.startsWith('08');
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  if (code !== undefined && transientSocketCodes.has(code)) return true;
  return /^Connection terminated|Client has encountered a connection error/.test(message ?? '');
}
