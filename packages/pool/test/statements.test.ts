import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createPool, type Queryable } from '../src/index.ts';
import { useDatabase } from './support/database.ts';

const prepare = { prepare: true };

async function preparedNames(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    "select count(*) as n from pg_prepared_statements where name like 'sluice_%'",
  );
  return rows[0]?.n as number;
}

describeWithServices('postgres', 'prepared statements', () => {
  const database = useDatabase();
  const create = (maxStatements?: number) =>
    createPool({
      connectionString: database.url,
      size: 1,
      maxOverflow: 0,
      ...(maxStatements === undefined ? {} : { maxStatements }),
    });

  test('are prepared once on each connection, and used again by whoever comes', async () => {
    await using pool = create();
    for (let i = 0; i < 5; i += 1) {
      expect((await pool.query('select $1::int as i', [i], prepare)).rows).toEqual([{ i }]);
    }
    const { rows } = await pool.query(
      "select generic_plans + custom_plans as uses from pg_prepared_statements where name like 'sluice_%'",
    );
    expect(rows).toEqual([{ uses: 5 }]);
  });

  test('beyond the limit push out the least recently used, on the server too', async () => {
    await using pool = create(3);
    const texts = Array.from({ length: 8 }, (_, i) => `select ${i} as i`);
    for (const text of texts) {
      await pool.query(text, [], prepare);
      await pool.query(texts[0] as string, [], prepare);
    }
    // The last one pushed out is forgotten by the server with the next statement that is sent under a name.
    await pool.query(texts[7] as string, [], prepare);
    const { rows } = await pool.query<{ statement: string }>(
      "select statement from pg_prepared_statements where name like 'sluice_%' order by statement",
    );
    expect(rows.map(({ statement }) => statement)).toEqual([
      'select 0 as i',
      'select 6 as i',
      'select 7 as i',
    ]);
    expect((await pool.query(texts[1] as string, [], prepare)).rows).toEqual([{ i: 1 }]);
  });

  test('of which none is kept run unnamed', async () => {
    await using pool = create(0);
    await pool.query('select 1', [], prepare);
    expect(await preparedNames(pool)).toBe(0);
  });

  test('survive that a table they return is altered', async () => {
    await using pool = create();
    await pool.query('create table altered (a int)');
    await pool.query('insert into altered values (1)');
    const select = () => pool.query('select * from altered', [], prepare);
    expect((await select()).rows).toEqual([{ a: 1 }]);
    await pool.query('alter table altered add b int default 2');
    expect((await select()).rows).toEqual([{ a: 1, b: 2 }]);
    await pool.query('alter table altered alter a type text');
    expect((await select()).rows).toEqual([{ a: '1', b: 2 }]);
    expect(pool.status()).toMatchObject({ invalid: 0, opened: 1 });
    expect(await preparedNames(pool)).toBe(1);
  });

  test('whose table is altered in a transaction make that transaction run again', async () => {
    await using pool = createPool({ connectionString: database.url, size: 2, maxOverflow: 0 });
    await pool.query('create table altered_too (a int)');
    await using other = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    let runs = 0;
    const run = () =>
      pool.transaction('bulk', async (tx) => {
        runs += 1;
        return (await tx.query('select * from altered_too', [], prepare)).rows;
      });
    await run();
    await other.query('alter table altered_too add b int');
    await other.query('insert into altered_too values (1, 2)');
    expect(await run()).toEqual([{ a: 1, b: 2 }]);
    expect(runs).toBe(3);
    expect(pool.status().invalid).toBe(0);
  });

  test('that the server has lost are prepared anew', async () => {
    await using pool = create();
    await using lease = await pool.acquire('bulk');
    const select = async (i: number) => (await lease.query('select $1::int + 1 as i', [i], prepare)).rows;
    expect(await select(1)).toEqual([{ i: 2 }]);
    await lease.query('deallocate all');
    expect(await select(2)).toEqual([{ i: 3 }]);
    await lease.query('discard all');
    expect(await select(3)).toEqual([{ i: 4 }]);
    expect(await preparedNames(lease)).toBe(1);
  });

  test('whose name is taken on the server are made to fit', async () => {
    await using pool = create();
    const text = 'select 1 as one';
    await pool.query(text, [], prepare);
    const { rows } = await pool.query<{ name: string }>(
      "select name from pg_prepared_statements where name like 'sluice_%'",
    );
    await using other = create();
    await using lease = await other.acquire('bulk');
    await lease.query(`prepare "${rows[0]?.name}" as select 2 as two`);
    expect((await lease.query(text, [], prepare)).rows).toEqual([{ one: 1 }]);
    expect((await lease.query(text, [], prepare)).rows).toEqual([{ one: 1 }]);
    expect(await preparedNames(lease)).toBe(1);
  });

  test('that fail for reasons of their own are not run twice', async () => {
    await using pool = create();
    await pool.query('create table counted (n int unique)');
    await pool.query('create sequence calls');
    const insert = () => pool.query("insert into counted values (nextval('calls') * 0)", [], prepare);
    await insert();
    await expect(insert()).rejects.toMatchObject({ code: '23505' });
    expect((await pool.query("select nextval('calls') as n")).rows).toEqual([{ n: 3 }]);
  });
});
