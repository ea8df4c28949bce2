/** What happens to connections and borrowers. Every connection is told of by `connect` and `close`, once each. */
export type PoolEvent =
  | { type: 'connect'; connection: number; host: string; port: number }
  | { type: 'connect_failed'; error: unknown }
  | { type: 'checkout'; connection: number; lane: string }
  | { type: 'checkin'; connection: number; lane: string }
  /** Found broken or in doubt; `close` follows. */
  | { type: 'invalidate'; connection: number; reason: string }
  | { type: 'close'; connection: number; reason: string }
  /** All connections open now are suspects: closed when idle, or when they come back. */
  | { type: 'retire'; reason: string }
  /** A borrower was sent away because the line only grows. */
  | { type: 'shed'; lane: string; waitedMs: number; retryAfterMs: number }
  /** Lent for longer than `leakAfterMs`; told once for each lease. `stack`: where it was acquired. */
  | { type: 'leak'; connection: number; lane: string; heldMs: number; stack: string }
  | { type: 'resize'; size: number; maxOverflow: number; reason: string }
  /** A setting is not what it was asked to be, which happens behind a pooler. `remedy`: SQL that helps. */
  | { type: 'setting_ignored'; setting: string; wanted: string; found: string | null; remedy: string }
  /** Prepared statements have been switched off, because what is in between does not keep them. */
  | { type: 'prepared_statements_off'; error: unknown };
