export type PoolErrorCode =
  | 'acquire_timeout'
  | 'acquire_aborted'
  | 'overloaded'
  | 'connect_failed'
  | 'pool_closed'
  | 'lease_released'
  | 'query_aborted'
  | 'transaction_failed'
  | 'commit_in_doubt'
  | 'unknown_lane'
  | 'budget_exhausted'
  | 'budget_unreachable';

/** What the pool looked like when a borrower got no connection. */
export interface PoolPicture {
  lane: string;
  checkedOut: number;
  idle: number;
  opening: number;
  waiting: number;
  /** Core + overflow as they were then, after any resizing by a budget. */
  limit: number;
}

export interface PoolErrorOptions extends ErrorOptions {
  retryable?: boolean;
  retryAfterMs?: number;
  picture?: PoolPicture;
}

const retryableCodes = new Set<PoolErrorCode>([
  'acquire_timeout',
  'overloaded',
  'connect_failed',
  'commit_in_doubt',
  'budget_exhausted',
  'budget_unreachable',
]);

/** Base error of this package. SQL errors of the server are passed through as `pg` reports them. */
export class PoolError extends Error {
  readonly code: PoolErrorCode;
  /** Another attempt later may succeed. */
  readonly retryable: boolean;
  /** When another attempt is worth it, in ms from now. Only where the pool can tell. */
  readonly retryAfterMs: number | undefined;
  /** Only on errors of a borrower that got no connection. */
  readonly picture: PoolPicture | undefined;

  constructor(code: PoolErrorCode, message: string, options: PoolErrorOptions = {}) {
    super(message, options);
    this.name = 'PoolError';
    this.code = code;
    this.retryable = options.retryable ?? retryableCodes.has(code);
    this.retryAfterMs = options.retryAfterMs;
    this.picture = options.picture;
  }
}

/** SQLSTATE of an error that came from the server, else undefined. */
export function sqlState(error: unknown): string | undefined {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  // EPIPE looks like one, but comes from the socket.
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && syscall === undefined ? code : undefined;
}

/**
 * Whether the session cannot be used any more after this error: the server ended it (its socket may close a moment
 * later), or it now runs on a server that was a primary and is a standby.
 */
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
  '57P05', // idle_session_timeout
]);
const transientSocketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);

/** Whether the same work may succeed when it is done again later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof PoolError) return error.retryable;
  const state = sqlState(error);
  // 08P01 is a violation of the protocol: a bug, and doing the same again does not mend it. But PgBouncer also uses it, with
  // severity FATAL, for a server that it has lost.
  if (state === '08P01') return endsSession(error);
  if (state !== undefined) return transientStates.has(state) || state.startsWith('08');
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  if (code !== undefined && transientSocketCodes.has(code)) return true;
  return /^Connection terminated|Client has encountered a connection error|^timeout expired/.test(
    message ?? '',
  );
}

/**
 * Whether connecting again with the same settings may succeed: not with a wrong password, a missing database, or one that
 * the role may not connect to.
 */
export function isTransientConnectError(error: unknown): boolean {
  const state = sqlState(error) ?? '';
  return !(state.startsWith('28') || state === '3D000' || state === '3F000' || state === '42501');
}

/** The message of an error, also of those of `net` that have none of their own (`AggregateError`). */
export function messageOf(error: unknown): string {
  const { message, code, errors } = (error ?? {}) as { message?: string; code?: string; errors?: unknown[] };
  return message || errors?.map(messageOf).join('; ') || code || String(error);
}
