import { describeWithServices } from '@sluice/testing';
import { beforeEach, expect, test } from 'vitest';
import { createPool, type Pool, type Transaction } from '../src/index.ts';
import { useDatabase } from './support/database.ts';

async function withPool<T>(url: string, use: (pool: Pool) => Promise<T>): Promise<T> {
  await using pool = createPool({ connectionString: url, size: 4, maxOverflow: 0 });
  return await use(pool);
}

describeWithServices('postgres', 'a transaction', () => {
  const database = useDatabase();
  const read = (pool: Pool) =>
    pool.query('select id, amount from accounts order by id').then(({ rows }) => rows);

  beforeEach(() =>
    withPool(database.url, async (pool) => {
      await pool.query('drop table if exists accounts');
      await pool.query('create table accounts as select 1 as id, 100 as amount');
    }),
  );

  test('commits what its function did and gives its result', async () => {
    await withPool(database.url, async (pool) => {
      const result = await pool.lane('interactive').transaction(async (transaction) => {
        await transaction.query('insert into accounts values (2, 5)');
        expect(await read(pool)).toHaveLength(1);
        return 'done';
      });
      expect(result).toBe('done');
      expect(await read(pool)).toHaveLength(2);
    });
  });

  test('is rolled back by any error of its function, which is thrown on', async () => {
    await withPool(database.url, async (pool) => {
      const failure = new Error('changed my mind');
      const run = pool.lane('interactive').transaction(async (transaction) => {
        await transaction.query('delete from accounts');
        throw failure;
      });
      await expect(run).rejects.toBe(failure);
      expect(await read(pool)).toEqual([{ id: 1, amount: 100 }]);
      expect(pool.status()).toMatchObject({ checked_out: 0, invalid: 0 });
    });
  });

  test('does not pass for committed when its function kept the error of a statement to itself', async () => {
    await withPool(database.url, async (pool) => {
      const run = pool.lane('interactive').transaction(async (transaction) => {
        await transaction.query('delete from accounts');
        await transaction.query('select 1 / 0').catch(() => {});
      });
      await expect(run).rejects.toMatchObject({ code: 'transaction_failed' });
      expect(await read(pool)).toHaveLength(1);
    });
  });

  test('loses only the effects of a savepoint that failed, also of a nested one', async () => {
    await withPool(database.url, async (pool) => {
      const insert = (transaction: Transaction, id: number) =>
        transaction.query('insert into accounts values ($1::int, 0)', [id]);
      await pool.lane('interactive').transaction(async (transaction) => {
        await insert(transaction, 2);
        await transaction.savepoint(async (outer) => {
          await insert(outer, 3);
          const inner = outer.savepoint(async (nested) => {
            await insert(nested, 4);
            await nested.query('select 1 / 0');
          });
          await expect(inner).rejects.toMatchObject({ code: '22012' });
          await insert(outer, 5);
        });
        await transaction
          .savepoint((one) => insert(one, 6).then(() => Promise.reject(new Error())))
          .catch(() => {});
      });
      expect((await read(pool)).map(({ id }) => id)).toEqual([1, 2, 3, 5]);
    });
  });

  test('that meets a serialization failure is run again until it succeeds', async () => {
    await withPool(database.url, async (pool) => {
      let runs = 0;
      let other: Promise<unknown> | undefined;
      await pool.lane('interactive').transaction(
        async (transaction) => {
          runs += 1;
          const { rows } = await transaction.query<{ amount: number }>('select amount from accounts');
          // Somebody else changes the row between our read and our write, the first time.
          other ??= pool.lane('bulk').query('update accounts set amount = amount + 11');
          await other;
          await transaction.query('update accounts set amount = $1::int', [(rows[0]?.amount ?? 0) + 1]);
        },
        { isolation: 'serializable' },
      );
      expect(runs).toBe(2);
      expect(await read(pool)).toEqual([{ id: 1, amount: 112 }]);
    });
  });

  test('that never gets through throws the failure after its retries', async () => {
    await withPool(database.url, async (pool) => {
      let runs = 0;
      const run = pool.lane('interactive').transaction(
        async (transaction) => {
          runs += 1;
          await transaction.query('select * from accounts');
          await pool.lane('bulk').query('update accounts set amount = amount + 1');
          await transaction.query('update accounts set amount = 0');
        },
        { isolation: 'repeatable read', retries: 2 },
      );
      await expect(run).rejects.toMatchObject({ code: '40001' });
      expect(runs).toBe(3);
      expect(await read(pool)).toEqual([{ id: 1, amount: 103 }]);
    });
  });

  test('leaves no savepoint behind that failed', async () => {
    await withPool(database.url, async (pool) => {
      const run = pool.transaction('bulk', async (transaction) => {
        for (let i = 0; i < 100; i += 1) {
          await transaction.savepoint(() => Promise.reject(new Error())).catch(() => {});
        }
        await transaction.query('rollback to savepoint sp_0');
      });
      await expect(run).rejects.toMatchObject({ code: '3B001' });
    });
  });

  test('throws what was thrown in a savepoint although its connection is lost', async () => {
    await withPool(database.url, async (pool) => {
      const failure = new Error('mine');
      const run = pool.transaction('bulk', (transaction) =>
        transaction.savepoint(async (inner) => {
          await inner.query('select pg_terminate_backend(pg_backend_pid())').catch(() => {});
          throw failure;
        }),
      );
      await expect(run).rejects.toBe(failure);
    });
  });

  test('takes no SQL for an isolation level, and no nonsense for retries', async () => {
    await withPool(database.url, async (pool) => {
      const run = (options: object) => pool.transaction('bulk', async () => {}, options);
      await expect(run({ isolation: 'serializable; create table injected ()' })).rejects.toThrow(RangeError);
      await expect(run({ retries: Number.NaN })).rejects.toThrow(RangeError);
      expect(pool.status().opened).toBeLessThanOrEqual(1);
    });
  });

  test('gives up after three retries unless told otherwise', async () => {
    await withPool(database.url, async (pool) => {
      let runs = 0;
      const run = pool.transaction('interactive', async (transaction) => {
        runs += 1;
        await transaction.query("do $$ begin raise exception 'conflict' using errcode = '40001'; end $$");
      });
      await expect(run).rejects.toMatchObject({ code: '40001' });
      expect(runs).toBe(4);
    });
  });

  test('that is read-only is refused its writes by the server', async () => {
    await withPool(database.url, async (pool) => {
      const write = (transaction: Transaction) => transaction.query('delete from accounts');
      await expect(pool.transaction('bulk', write, { readOnly: true })).rejects.toMatchObject({
        code: '25006',
      });
      await pool.transaction('bulk', (transaction) => transaction.query('select * from accounts'), {
        readOnly: true,
      });
      expect(await read(pool)).toHaveLength(1);
    });
  });

  test('of two that deadlock both end in success', async () => {
    await withPool(database.url, async (pool) => {
      await pool.query('insert into accounts values (2, 100)');
      let runs = 0;
      const both = Promise.withResolvers<void>();
      const move = (from: number, to: number) =>
        pool.lane('interactive').transaction(async (transaction) => {
          runs += 1;
          await transaction.query('update accounts set amount = amount - 1 where id = $1::int', [from]);
          // Each has its first row before either asks for the other's.
          if (runs === 2) both.resolve();
          await both.promise;
          await transaction.query('update accounts set amount = amount + 1 where id = $1::int', [to]);
        });
      await Promise.all([move(1, 2), move(2, 1)]);
      expect(runs).toBe(3);
      expect(await read(pool)).toEqual([
        { id: 1, amount: 100 },
        { id: 2, amount: 100 },
      ]);
    });
  });
});
