import { randomInt } from 'node:crypto';
import { createRandom, describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createPool, type Pool, type PoolOptions, type Queryable } from '../src/index.ts';
import { useDatabase } from './support/database.ts';

describeWithServices('postgres', 'settings of one statement', () => {
  const database = useDatabase();
  const create = (options: Partial<PoolOptions> = {}): Pool =>
    createPool({ connectionString: database.url, size: 1, maxOverflow: 0, ...options });
  const text = "select current_setting('work_mem') as memory, $1::int as n";
  async function memory(db: Queryable, wanted?: string, prepare = false): Promise<string> {
    const settings = wanted === undefined ? undefined : { work_mem: wanted };
    const { rows } = await db.query<{ memory: string; n: number }>(text, [7], { prepare, settings });
    expect(rows).toEqual([{ memory: expect.any(String), n: 7 }]);
    return (rows[0] as { memory: string }).memory;
  }
  const named = async (db: Queryable) =>
    (await db.query("select from pg_prepared_statements where name like 'sluice_%'")).rowCount;

  test.each([true, false])('hold for it and for nothing else, prepared: %s', async (prepare) => {
    await using pool = create();
    const before = await memory(pool);
    for (let i = 2; i < 12; i += 1) {
      expect(await memory(pool, `${i}MB`, prepare)).toBe(`${i}MB`);
      expect(await memory(pool, undefined, prepare)).toBe(before);
    }
    expect(await named(pool)).toBe(prepare ? 2 : 1);
    // No session was reset for them: that would have cost a round trip, and the named statements.
    expect(pool.status()).toMatchObject({ opened: 1, invalid: 0 });
  });

  test('can be several, and of a text without values', async () => {
    await using pool = create();
    const { rows, command } = await pool.query(
      "select current_setting('work_mem') as memory, current_setting('a.b') as b",
      [],
      { settings: { work_mem: '3MB', 'a.b': "it's" } },
    );
    expect({ rows, command }).toEqual({ rows: [{ memory: '3MB', b: "it's" }], command: 'SELECT' });
  });

  test('hold for writes, which are kept', async () => {
    await using pool = create();
    await pool.query('create table written (memory text)');
    const write = "insert into written select current_setting('work_mem') returning memory";
    const written = await pool.query(write, [], { settings: { work_mem: '3MB' }, prepare: true });
    expect(written).toEqual({ rows: [{ memory: '3MB' }], rowCount: 1, command: 'INSERT' });
    expect((await pool.query('select * from written')).rows).toEqual([{ memory: '3MB' }]);
  });

  test('can be a deadline of the server for it', async () => {
    await using pool = create();
    const settings = { statement_timeout: '50ms' };
    await expect(pool.query('select pg_sleep(5)', [], { settings })).rejects.toMatchObject({ code: '57014' });
    await pool.query('select pg_sleep(0.1)');
  });

  test('inside a transaction hold until it ends', async () => {
    await using pool = create();
    const before = await memory(pool);
    await pool.transaction('bulk', async (tx) => {
      expect(await memory(tx, '3MB', true)).toBe('3MB');
      expect(await memory(tx, undefined, true)).toBe('3MB');
    });
    expect(await memory(pool)).toBe(before);
  });

  test('are gone when it fails, was never sent, or they cannot be set', async () => {
    await using pool = create();
    const before = await memory(pool);
    const settings = { work_mem: '3MB' };
    for (let i = 0; i < 3; i += 1) {
      const fails = pool.query('select 1 / $1::int', [0], { settings, prepare: true });
      await expect(fails).rejects.toMatchObject({ code: '22012' });
      const unknown = pool.query('select * from nowhere', [], { settings, prepare: true });
      await expect(unknown).rejects.toMatchObject({ code: '42P01' });
      const unset = pool.query('select 1', [], { settings: { work_mem: 'much' }, prepare: true });
      await expect(unset).rejects.toMatchObject({ code: '22023' });
      const circle: Record<string, unknown> = {};
      circle.circle = circle;
      await expect(pool.query(text, [circle], { settings, prepare: true })).rejects.toThrow(/circular/i);
      expect(await memory(pool, undefined, true)).toBe(before);
      expect(await memory(pool, '3MB', true)).toBe('3MB');
    }
    expect(pool.status()).toMatchObject({ opened: 1, invalid: 0 });
  });

  test('stay with a statement that is sent again because its table was altered', async () => {
    await using pool = create();
    await pool.query('create table altered (a int)');
    await pool.query('insert into altered values (1)');
    const read = async () =>
      (
        await pool.query("select *, current_setting('work_mem') as memory from altered", [], {
          settings: { work_mem: '3MB' },
          prepare: true,
        })
      ).rows;
    expect(await read()).toEqual([{ a: 1, memory: '3MB' }]);
    await pool.query('alter table altered add b int default 2');
    expect(await read()).toEqual([{ a: 1, b: 2, memory: '3MB' }]);
    expect(await read()).toEqual([{ a: 1, b: 2, memory: '3MB' }]);
  });

  test('stay with a statement that the server had lost', async () => {
    await using pool = create();
    await using lease = await pool.acquire('bulk');
    for (const wipe of ['deallocate all', 'discard all', 'select 1']) {
      expect(await memory(lease, '3MB', true)).toBe('3MB');
      await lease.query(wipe);
      expect(await memory(lease, '4MB', true)).toBe('4MB');
    }
  });

  test('work where no statement is kept', async () => {
    await using pool = create({ maxStatements: 0 });
    const before = await memory(pool);
    expect(await memory(pool, '3MB', true)).toBe('3MB');
    expect(await memory(pool, undefined, true)).toBe(before);
    expect(await named(pool)).toBe(0);
  });

  test('work where a single statement is kept', async () => {
    await using pool = create({ maxStatements: 1 });
    for (let i = 2; i < 8; i += 1) expect(await memory(pool, `${i}MB`, true)).toBe(`${i}MB`);
  });

  test('never reach anybody else, among statements that fail, are aborted and change their session', async () => {
    const seed = randomInt(2 ** 31);
    const random = createRandom(seed);
    await using pool = create({ size: 3 });
    const before = await memory(pool);
    const wrong: unknown[] = [];
    async function step(): Promise<void> {
      const prepare = random.chance(0.5);
      const wanted = `${random.between(2, 50)}MB`;
      const kind = random.between(0, 6);
      if (kind <= 1) {
        const seen = await memory(pool, undefined, prepare);
        if (seen !== before) wrong.push({ seen, kind });
      } else if (kind <= 3) {
        const seen = await memory(pool, wanted, prepare);
        if (seen !== wanted) wrong.push({ seen, wanted, kind });
      } else if (kind === 4) {
        await pool
          .query('select pg_sleep(0.05)', [], {
            prepare,
            settings: { work_mem: wanted },
            signal: AbortSignal.timeout(random.between(1, 20)),
          })
          .catch(() => {});
      } else if (kind === 5) {
        await pool.query('select 1 / 0', [], { prepare, settings: { work_mem: wanted } }).catch(() => {});
      } else {
        await pool.session('bulk', async (lease) => {
          await lease.query("set work_mem = '1234kB'");
          await memory(lease, wanted, prepare);
          const seen = await memory(lease, undefined, prepare);
          if (seen !== '1234kB') wrong.push({ seen, kind });
        });
      }
    }
    const user = async () => {
      for (let i = 0; i < 60; i += 1) await step();
    };
    await Promise.all(Array.from({ length: 8 }, user));
    expect(wrong, `seed ${seed}`).toEqual([]);
    expect(pool.status(), `seed ${seed}`).toMatchObject({ invalid: 0 });
  });
});
