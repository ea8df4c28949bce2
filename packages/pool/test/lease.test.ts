import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createPool, type Pool, type Queryable } from '../src/index.ts';
import { useDatabase } from './support/database.ts';

const pidOf = async (db: Queryable) =>
  (await db.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;

describeWithServices('postgres', 'a lease', () => {
  const database = useDatabase();
  const createSingle = (): Pool => createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });

  test('that is released inside an open transaction is rolled back and its connection used again', async () => {
    await using pool = createSingle();
    await pool.query('create table left_open (id int)');
    const lease = await pool.lane('interactive').acquire();
    const pid = await pidOf(lease);
    await lease.query('begin');
    await lease.query('insert into left_open values (1)');
    await lease.release();
    expect(await pidOf(pool)).toBe(pid);
    expect((await pool.query('select * from left_open')).rows).toEqual([]);
  });

  test('that is released inside a failed transaction is rolled back and its connection used again', async () => {
    await using pool = createSingle();
    const lease = await pool.lane('interactive').acquire();
    const pid = await pidOf(lease);
    await lease.query('begin');
    await expect(lease.query('select 1 / 0')).rejects.toMatchObject({ code: '22012' });
    await lease.release();
    expect(await pidOf(pool)).toBe(pid);
    expect(pool.status().invalid).toBe(0);
  });

  test('can be released twice, and the second time takes nothing from the next borrower', async () => {
    await using pool = createSingle();
    const lease = await pool.lane('interactive').acquire();
    await Promise.all([lease.release(), lease.release()]);
    await using next = await pool.lane('interactive').acquire();
    await lease.release();
    lease.destroy('too late');
    expect(pool.status()).toMatchObject({ checked_out: 1, checked_in: 0 });
    expect((await next.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('that was released refuses to be used', async () => {
    await using pool = createSingle();
    const lease = await pool.lane('interactive').acquire();
    await lease.release();
    await expect(lease.query('select 1')).rejects.toMatchObject({ code: 'lease_released' });
    const target = { table: 'x', columns: [] };
    await expect(lease.copyFrom(target, [])).rejects.toMatchObject({ code: 'lease_released' });
  });

  test('keeps its connection through SQL errors', async () => {
    await using pool = createSingle();
    const pid = await pidOf(pool);
    for (const sql of ['selec 1', 'select * from nowhere', 'select 1 / 0', "select 'x'::int"]) {
      await expect(pool.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/^[0-9A-Z]{5}$/) });
    }
    expect(await pidOf(pool)).toBe(pid);
  });

  test('ends with a session whose function throws: rolled back, and its connection used again', async () => {
    await using pool = createSingle();
    await pool.query('create table abandoned (id int)');
    const failure = new Error('changed my mind');
    let pid: number | undefined;
    const run = pool.session('interactive', async (lease) => {
      pid = await pidOf(lease);
      await lease.query('begin');
      await lease.query('insert into abandoned values (1)');
      throw failure;
    });
    await expect(run).rejects.toBe(failure);
    expect(pool.status()).toMatchObject({ checked_out: 0, checked_in: 1, invalid: 0 });
    expect(await pidOf(pool)).toBe(pid);
    expect((await pool.query('select * from abandoned')).rows).toEqual([]);
  });

  test('of a lane that there is not is refused, however it is asked for', async () => {
    await using pool = createSingle();
    const unknown = { code: 'unknown_lane', message: expect.stringContaining('nowhere') };
    expect(() => pool.lane('nowhere')).toThrow(expect.objectContaining(unknown));
    await expect(pool.acquire('nowhere')).rejects.toMatchObject(unknown);
    await expect(pool.session('nowhere', async () => {})).rejects.toMatchObject(unknown);
  });

  test('that is destroyed takes its connection with it', async () => {
    await using pool = createSingle();
    const lease = await pool.lane('interactive').acquire();
    const pid = await pidOf(lease);
    lease.destroy('its session is in doubt');
    expect(await pidOf(pool)).not.toBe(pid);
    expect(pool.status()).toMatchObject({ invalid: 1, checked_out: 0, checked_in: 1 });
  });

  test('gives integers beyond what a number holds as they came', async () => {
    await using pool = createSingle();
    const { rows } = await pool.query(
      'select 9007199254740993::int8 as large, 9007199254740991::int8 as fits',
    );
    expect(rows).toEqual([{ large: '9007199254740993', fits: 9_007_199_254_740_991 }]);
  });

  test('has errors whose stack leads to who asked', async () => {
    await using pool = createSingle();
    async function asksNonsense() {
      return await pool.query('select nonsense');
    }
    async function asksNonsenseOfLease() {
      await using lease = await pool.acquire('bulk');
      return await lease.query('select nonsense', [], { signal: new AbortController().signal });
    }
    for (const ask of [asksNonsense, asksNonsenseOfLease]) {
      const error = await ask().catch((caught: Error) => caught);
      expect(error).toMatchObject({ code: '42703' });
      expect((error as Error).stack).toMatch(new RegExp(`at (async )?${ask.name} `));
    }
  });

  test('gives counts as numbers, and prepared statements the same answers as others', async () => {
    await using pool = createSingle();
    for (const prepare of [false, true, true]) {
      const { rows } = await pool.query(
        'select count(*) as n, $1::text as t from generate_series(1, 5)',
        ['ấ'],
        {
          prepare,
        },
      );
      expect(rows).toEqual([{ n: 5, t: 'ấ' }]);
    }
  });

  test('recovers from a prepared statement whose table changed', async () => {
    await using pool = createSingle();
    await pool.query('create table reshaped (a int)');
    const read = () => pool.query('select * from reshaped', [], { prepare: true });
    await read();
    await pool.query('alter table reshaped add column b int');
    await pool.query('insert into reshaped values (1, 2)');
    expect((await read()).rows).toEqual([{ a: 1, b: 2 }]);
  });
});
