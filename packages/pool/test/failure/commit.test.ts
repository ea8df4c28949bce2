import { describeWithServices } from '@sluice/testing';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createPool, isTransient, type PoolError, sqlState } from '../../src/index.ts';
import { withObserver } from '../support/backends.ts';
import { useDatabase } from '../support/database.ts';
import { expectAgreement } from './support/agreement.ts';
import { errorOf, eventually } from './support/eventually.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';
import { proxyTo } from './support/through-proxy.ts';

expectNoStrayErrors();

test('an error of the socket is not taken for one that the server has sent, whatever its name', () => {
  const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write', errno: -32 });
  expect(sqlState(broken)).toBeUndefined();
  expect(isTransient(broken)).toBe(true);
});

describeWithServices('postgres', 'a connection that is lost around COMMIT', () => {
  const database = useDatabase();
  let proxy: Awaited<ReturnType<typeof proxyTo>>;
  beforeAll(async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    await pool.query(
      'create table kept (what text not null unique deferrable initially deferred); create table versions (v int)',
    );
    await pool.query('insert into versions values (0)');
  });
  beforeEach(async () => {
    proxy = await proxyTo(database.url);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const create = (applicationName: string) =>
    createPool({ connectionString: proxy.url, size: 2, maxOverflow: 0, applicationName });
  const countOf = async (what: string) => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    return (await pool.query('select count(*) as count from kept where what = $1::text', [what])).rows[0]
      ?.count;
  };

  for (const [lost, truth] of [
    ['request', 0],
    ['answer', 1],
  ] as const) {
    test(`with the ${lost} leaves it in doubt, and the table has ${truth ? 'all' : 'nothing'} of it`, async () => {
      await using pool = create(`lost-${lost}`);
      let runs = 0;
      const error = await errorOf<PoolError>(
        pool.transaction('bulk', async (transaction) => {
          runs += 1;
          await transaction.query('insert into kept values ($1::text)', [lost]);
          proxy.cutAt('commit', lost);
        }),
      );
      expect(error).toMatchObject({ code: 'commit_in_doubt', retryable: true });
      expect(error.cause).toBeInstanceOf(Error);
      expect(runs).toBe(1);
      await eventually(async () => expect(await countOf(lost)).toBe(truth));
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      await expectAgreement(pool, database.url, `lost-${lost}`);
    });
  }

  test('before COMMIT was sent leaves no doubt: nothing is kept, and the error is a transient one', async () => {
    await using pool = create('lost-before');
    const error = await errorOf<PoolError>(
      pool.transaction('bulk', async (transaction) => {
        await transaction.query("insert into kept values ('before')");
        const { rows } = await transaction.query<{ pid: number }>('select pg_backend_pid() as pid');
        await withObserver(database.url, ({ terminate }) => terminate(rows[0]?.pid as number));
        await eventually(() => expect(pool.status().checked_out).toBe(0));
      }),
    );
    expect(error.code).not.toBe('commit_in_doubt');
    expect(isTransient(error)).toBe(true);
    expect(await countOf('before')).toBe(0);
    await expectAgreement(pool, database.url, 'lost-before');
  });

  test('is told from a server that refuses to commit', async () => {
    await using pool = create('refused-commit');
    const duplicate = await errorOf(
      pool.transaction('bulk', async (transaction) => {
        await transaction.query("insert into kept values ('twice')");
        await transaction.query("insert into kept values ('twice')");
      }),
    );
    expect(duplicate).toMatchObject({ code: '23505' });
    expect(await countOf('twice')).toBe(0);
    expect(pool.status().invalid).toBe(0);
    await expectAgreement(pool, database.url, 'refused-commit');
  });

  test('is told from conflicts, which are run again until they go through', async () => {
    await using pool = create('conflicts');
    const add = () =>
      pool.transaction(
        'bulk',
        async (transaction) => {
          const { rows } = await transaction.query<{ v: number }>('select v from versions');
          await transaction.query('update versions set v = $1::int', [(rows[0]?.v as number) + 1]);
        },
        { isolation: 'serializable', retries: 20 },
      );
    await Promise.all(Array.from({ length: 10 }, add));
    expect((await pool.query('select v from versions')).rows).toEqual([{ v: 10 }]);
    await expectAgreement(pool, database.url, 'conflicts');
  });
});
