import type { Queryable } from '@sluice/pool';

/** The same lane, whose statements end on the server when `signal` is aborted. */
export function withSignal(db: Queryable, signal: AbortSignal | undefined): Queryable {
  if (!signal) return db;
  return { query: (text, values, options) => db.query(text, values, { ...options, signal }) };
}
