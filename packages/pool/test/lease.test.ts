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

  test('that is destroyed takes its connection with it', async () => {
    await using pool = createSingle();
    const lease = await pool.lane('interactive').acquire();
    const pid = await pidOf(lease);
    lease.destroy('its session is in doubt');
    expect(await pidOf(pool)).not.toBe(pid);
    expect(pool.status()).toMatchObject({ invalid: 1, checked_out: 0, checked_in: 1 });
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
    await read().catch(() => {});
    expect((await read()).rows).toEqual([]);
  });
});
