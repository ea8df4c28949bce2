import { setTimeout as sleep } from 'node:timers/promises';
import type { BinaryRow, CopyTarget } from './copy.ts';
import { endsSession, PoolError, sqlState } from './errors.ts';
import type { CopyOptions, Lease } from './lease.ts';
import { check } from './options.ts';
import type { Queryable } from './queryable.ts';
import { staleReason } from './statements.ts';

export interface TransactionOptions {
  /** Default `read committed`. */
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /** The server refuses writes, and may run it on a standby. Default false. */
  readOnly?: boolean;
  /**
   * How often the whole function is run again after a serialization failure, a deadlock, or a prepared statement that the
   * server did not have any more. Default 3.
   */
  retries?: number;
  /** Aborts the statement under way; the transaction is rolled back. COMMIT itself is never aborted. */
  signal?: AbortSignal | undefined;
}

export interface Transaction extends Queryable {
  copyFrom(
    target: CopyTarget,
    rows: Iterable<BinaryRow> | AsyncIterable<BinaryRow>,
    options?: CopyOptions,
  ): Promise<number>;
  /** Runs `fn` in a savepoint: when it throws, only its own effects are undone. */
  savepoint<T>(fn: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** Whether the whole transaction can be run again: it was undone, and not because of what it does. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01' || staleReason(error) !== undefined;
}

function createTransaction(lease: Lease, depth = 0): Transaction {
  return {
    query: lease.query,
    copyFrom: lease.copyFrom,
    async savepoint(fn) {
      const name = `sp_${depth}`;
      await lease.query(`savepoint ${name}`);
      try {
        const result = await fn(createTransaction(lease, depth + 1));
        await lease.query(`release savepoint ${name}`);
        return result;
      } catch (error) {
        // Without the release the next one of this name would be opened inside of it. When the connection is lost, what
        // was thrown first is what matters.
        await lease
          .query(`rollback to savepoint ${name}; release savepoint ${name}`, [], neverAborted)
          .catch(() => {});
        throw error;
      }
    },
  };
}

// What ends a transaction must not be cut short by the signal of its statements.
const neverAborted = { signal: new AbortController().signal };

async function commit(lease: Lease): Promise<void> {
  let command: string;
  try {
    ({ command } = await lease.query('commit', [], neverAborted));
  } catch (error) {
    // The server has answered: it is rolled back, for a reason that it tells (a deferred constraint, a conflict).
    if (sqlState(error) && !endsSession(error) && !sqlState(error)?.startsWith('08')) throw error;
    // The connection was lost before, so the server never got it.
    if (/is not queryable$/.test((error as Error).message)) throw error;
    throw new PoolError(
      'commit_in_doubt',
      'the connection was lost while committing, so it is not known whether the transaction was done: repeat only what is harmless to repeat',
      { cause: error },
    );
  }
  // The server answers COMMIT with ROLLBACK when a statement failed and `fn` kept the error to itself.
  if (command === 'ROLLBACK') {
    throw new PoolError(
      'transaction_failed',
      'a statement of the transaction failed before, so nothing was committed: let its error through, or run it in a savepoint',
    );
  }
}

const isolations: ReadonlySet<string> = new Set(['read committed', 'repeatable read', 'serializable']);

/** One run of `fn` between BEGIN and COMMIT; any error rolls back and is thrown on. */
export async function runTransaction<T>(
  lease: Lease,
  fn: (transaction: Transaction) => Promise<T>,
  { isolation = 'read committed', readOnly = false }: TransactionOptions,
): Promise<T> {
  if (!isolations.has(isolation)) {
    throw new RangeError(`isolation is ${isolation}: expected one of ${[...isolations].join(', ')}`);
  }
  await lease.query(`begin isolation level ${isolation}${readOnly ? ' read only' : ''}`);
  try {
    const result = await fn(createTransaction(lease));
    await commit(lease);
    return result;
  } catch (error) {
    // The server may be unreachable, and who gives up does not wait: whoever takes the connection back rolls back.
    if (error instanceof PoolError && error.code === 'query_aborted') throw error;
    await lease.query('rollback', [], neverAborted).catch(() => lease.destroy('rollback failed'));
    throw error;
  }
}

/** Runs `attempt` again after conflicts with others, with a growing and jittered wait in between. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { retries = 3, signal }: TransactionOptions,
): Promise<T> {
  check('retries', retries, 0);
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (failures >= retries || signal?.aborted || !isRetryable(error)) throw error;
      const pauseMs = Math.random() * Math.min(1_000, 20 * 2 ** failures);
      await sleep(pauseMs, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}
