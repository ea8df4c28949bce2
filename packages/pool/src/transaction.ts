import type { Queryable } from './connection.ts';
import { PoolError, sqlState } from './errors.ts';
import type { Lease } from './lease.ts';

export interface TransactionOptions {
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /** How often the whole function is run again after a serialization failure or a deadlock. Default 3. */
  retries?: number;
}

export interface Transaction extends Queryable, Pick<Lease, 'copyFrom'> {
  /** Runs `fn` in a savepoint: when it throws, only its own effects are undone. */
  savepoint<T>(fn: (transaction: Transaction) => Promise<T>): Promise<T>;
}

export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
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
        await lease.query(`rollback to savepoint ${name}`);
        throw error;
      }
    },
  };
}

/** One run of `fn` between BEGIN and COMMIT; any error rolls back and is thrown on. */
export async function runTransaction<T>(
  lease: Lease,
  fn: (transaction: Transaction) => Promise<T>,
  isolation: TransactionOptions['isolation'] = 'read committed',
): Promise<T> {
  await lease.query(`begin isolation level ${isolation}`);
  try {
    const result = await fn(createTransaction(lease));
    const { command } = await lease.query('commit');
    // The server answers COMMIT with ROLLBACK when a statement failed and `fn` kept the error to itself.
    if (command === 'ROLLBACK') {
      throw new PoolError(
        'transaction_failed',
        'a statement of the transaction failed before, so nothing was committed: let its error through, or run it in a savepoint',
      );
    }
    return result;
  } catch (error) {
    await lease.query('rollback').catch(() => lease.destroy('rollback failed'));
    throw error;
  }
}
