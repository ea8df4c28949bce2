import type { Connection, Queryable, QueryOptions, Row } from './connection.ts';
import { type BinaryRow, type CopyTarget, copyRows, insertRows } from './copy.ts';
import { endsSession, PoolError } from './errors.ts';

/** A connection that is yours until you release it. */
export interface Lease extends Queryable, AsyncDisposable {
  /** Streams rows into a table: binary COPY, or multi-row INSERT where the server cannot COPY. Returns how many. */
  copyFrom(target: CopyTarget, rows: Iterable<BinaryRow> | AsyncIterable<BinaryRow>): Promise<number>;
  /** Gives the connection back after a reset. A second call does nothing. */
  release(): Promise<void>;
  /** Gives it back to be closed, because its session is in doubt. */
  destroy(reason: string): void;
}

export function createLease(
  connection: Connection,
  sharedSession: boolean,
  giveBack: (keep: boolean, reason?: string) => void,
): Lease {
  let released = false;
  const ensureHeld = () => {
    if (released) throw new PoolError('lease_released', 'this lease was released; acquire a new one');
  };
  let ended = false;
  const onError = (error: unknown): never => {
    ended ||= endsSession(error);
    throw error;
  };
  async function release(): Promise<void> {
    if (released) return;
    released = true;
    try {
      if (!ended) await connection.reset();
      giveBack(connection.usable && !ended);
    } catch {
      giveBack(false, 'reset failed');
    }
  }
  return {
    async query<R extends Row = Row>(text: string, values?: readonly unknown[], options?: QueryOptions) {
      ensureHeld();
      return connection.query<R>(text, values, options).catch(onError);
    },
    async copyFrom(target, rows) {
      ensureHeld();
      return (sharedSession ? insertRows : copyRows)(connection, target, rows).catch(onError);
    },
    release,
    destroy(reason) {
      if (released) return;
      released = true;
      giveBack(false, reason);
    },
    [Symbol.asyncDispose]: release,
  };
}
