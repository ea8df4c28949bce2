import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createPool, type Pool, type PoolOptions } from '../src/index.ts';
import { useDatabase } from './support/database.ts';

describeWithServices('postgres', 'the session that the next borrower gets', () => {
  const database = useDatabase();
  const create = (options: Partial<PoolOptions> = {}): Pool =>
    createPool({ connectionString: database.url, size: 1, maxOverflow: 0, ...options });
  const shown = async (pool: Pool, name: string) =>
    Object.values((await pool.query(`show ${name}`)).rows[0] ?? {})[0];

  test.each([
    ['a setting', 'set work_mem = 12345', 'show work_mem'],
    ['a setting made by a function', "select set_config('work_mem', '12345', false)", 'show work_mem'],
    ['a search path', 'set search_path = pg_catalog', 'show search_path'],
    ['a role', 'set role pg_read_all_data', 'select current_user'],
    ['a temporary table', 'create temp table leftover (a int)', "select to_regclass('leftover')::text"],
    [
      'a session lock',
      'select pg_advisory_lock(4711)',
      "select count(*) from pg_locks where locktype = 'advisory'",
    ],
    ['a subscription', 'listen leftover', 'select count(*) from pg_listening_channels()'],
    [
      'a statement prepared by SQL',
      'prepare leftover as select 1',
      "select count(*) from pg_prepared_statements where name = 'leftover'",
    ],
    [
      'a held cursor',
      'begin; declare leftover cursor with hold for select 1; commit',
      'select count(*) from pg_cursors',
    ],
    ['read-only mode', 'set default_transaction_read_only = on', 'show default_transaction_read_only'],
  ])('has nothing left of %s of the last one', async (_what, change, look) => {
    await using pool = create();
    const before = (await pool.query(look)).rows;
    await pool.session('bulk', (lease) => lease.query(change));
    expect((await pool.query(look)).rows).toEqual(before);
    // The same by a single statement, which has no lease.
    await pool.query(change);
    expect((await pool.query(look)).rows).toEqual(before);
    expect(pool.status()).toMatchObject({ opened: 1, invalid: 0 });
  });

  test('has the settings of the pool again after somebody has changed them', async () => {
    await using pool = create({ settings: { statement_timeout: '77s' } });
    await pool.query("set statement_timeout = '1s'; set jit = on; set application_name = 'thief'");
    expect(await shown(pool, 'statement_timeout')).toBe('77s');
    expect(await shown(pool, 'jit')).toBe('off');
    expect(await shown(pool, 'application_name')).toBe('sluice');
  });

  test('still has its named statements when nothing else was changed', async () => {
    await using pool = create();
    await pool.query('select 1', [], { prepare: true });
    await pool.transaction('bulk', async (tx) => {
      await tx.query("set local work_mem = '1MB'");
      await tx.query("select set_config('work_mem', '2MB', true)");
      await tx.query('update pg_class set relname = relname where false');
    });
    const { rows } = await pool.query(
      "select count(*) as n from pg_prepared_statements where name like 'sluice_%'",
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('is clean even of what a function did, if the server reports it or the pool always resets', async () => {
    await using admin = create();
    await admin.query(
      'create function sneaky(name text, value text) returns text language sql as $$ select set_config(name, value, false) $$',
    );
    await using detecting = create();
    await detecting.query("select sneaky('search_path', 'pg_catalog')");
    expect(await shown(detecting, 'search_path')).toBe('"$user", public');
    await using always = create({ reset: 'always' });
    await always.query("select sneaky('work_mem', '12345')");
    expect(await shown(always, 'work_mem')).not.toBe('12345kB');
  });

  test('keeps what it was set to, and loses its open transaction, where only that is to be reset', async () => {
    await using pool = create({ reset: 'rollback' });
    await pool.query('create table kept_out (id int)');
    await pool.session('bulk', async (lease) => {
      await lease.query("set work_mem = '12345kB'");
      await lease.query('begin');
      await lease.query('insert into kept_out values (1)');
    });
    expect(await shown(pool, 'work_mem')).toBe('12345kB');
    expect((await pool.query('select * from kept_out')).rows).toEqual([]);
  });

  test('costs no round trip when the last borrower left it clean', async () => {
    const statements: string[] = [];
    await using pool = create({
      tracer: {
        query: ({ text }) => void statements.push(text),
      },
    });
    for (let i = 0; i < 10; i += 1) await pool.session('bulk', (lease) => lease.query('select 1'));
    expect(statements).toEqual(Array.from({ length: 10 }, () => 'select 1'));
    await using observer = create();
    const { rows } = await observer.query(
      "select query from pg_stat_activity where application_name = 'sluice' and pid <> pg_backend_pid() and datname = current_database()",
    );
    expect(rows).toEqual([{ query: 'select 1' }]);
  });
});
