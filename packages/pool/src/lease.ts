import type { Connection } from './connection.ts';
import { type BinaryRow, type CopyTarget, copyRows, insertRows } from './copy.ts';
import { PoolError } from './errors.ts';
import type { Queryable, QueryOptions, Result, Row } from './queryable.ts';

export interface CopyOptions {
  /** When it is aborted, the statement is and nothing of it is kept. */
  signal?: AbortSignal | undefined;
}

/** A connection that is yours until you release it. */
export interface Lease extends Queryable, AsyncDisposable {
  /** Number of the connection, as events and traces name it. */
  readonly connection: number;
  /** Streams rows into a table: binary COPY, or multi-row INSERT where the server cannot COPY. Returns how many. */
  copyFrom(
    target: CopyTarget,
    rows: Iterable<BinaryRow> | AsyncIterable<BinaryRow>,
    options?: CopyOptions,
  ): Promise<number>;
  /**
   * Gives the connection back. An open transaction is rolled back and a changed session reset first; a clean one costs no
   * round trip. Statements that still run are cancelled, in the background. A second call does nothing.
   */
  release(): Promise<void>;
  /** Gives it back to be closed, because its session is in doubt. */
  destroy(reason: string): void;
}

export interface LeaseOptions {
  connection: Connection;
  sharedSession: boolean;
  /** Aborts every statement of this lease. */
  signal: AbortSignal | undefined;
  onError(error: unknown): void;
  giveBack(): Promise<void> | undefined;
  destroy(reason: string): void;
}

export function createLease({
  connection,
  sharedSession,
  signal: leaseSignal,
  onError,
  giveBack,
  destroy,
}: LeaseOptions): Lease {
  let released = false;

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    if (released) throw releasedError();
    try {
      return await work();
    } catch (error) {
      onError(error);
      throw error;
    }
  }

  async function release(): Promise<void> {
    if (released) return;
    released = true;
    await giveBack();
  }

  return {
    connection: connection.id,
    query<R extends Row = Row>(
      text: string,
      values?: readonly unknown[],
      options?: QueryOptions,
    ): Promise<Result<R>> {
      const signal = options?.signal ?? leaseSignal;
      return guarded(() => connection.query<R>(text, values, signal ? { ...options, signal } : options));
    },
    copyFrom(target, rows, { signal = leaseSignal } = {}) {
      return guarded(() => (sharedSession ? insertRows : copyRows)(connection, target, rows, signal));
    },
    release,
    destroy(reason) {
      if (released) return;
      released = true;
      destroy(reason);
    },
    [Symbol.asyncDispose]: release,
  };
}

export function releasedError(): PoolError {
  return new PoolError('lease_released', 'this lease was released; acquire a new one');
}
