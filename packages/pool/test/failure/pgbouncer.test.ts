import { randomInt } from 'node:crypto';
import { describeWithServices, type RunningService, startPgBouncer } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPool, isTransient, type PoolEvent, type PoolOptions } from '../../src/index.ts';
import { withObserver } from '../support/backends.ts';
import { abortAtRandom } from './support/abort-at-random.ts';
import { errorOf, eventually, until } from './support/eventually.ts';
import { useServer } from './support/own-server.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';
import { proxyTo } from './support/through-proxy.ts';

expectNoStrayErrors();

describeWithServices('processes', 'through PgBouncer in transaction mode', () => {
  const server = useServer();
  const usePgBouncer = (settings: Record<string, string | number>) => {
    let bouncer: RunningService;
    beforeAll(async () => {
      // Fewer than the pools have, so that a session is somebody else's from one transaction to the next.
      bouncer = await startPgBouncer({
        upstream: server().url,
        settings: { default_pool_size: 3, ...settings },
      });
    });
    afterAll(() => bouncer[Symbol.asyncDispose]());
    return () => bouncer;
  };
  const create = (url: string, options: Partial<PoolOptions> = {}, events: PoolEvent[] = []) =>
    createPool({
      connectionString: url,
      size: 6,
      maxOverflow: 0,
      lanes: { only: { guaranteed: 0, priority: 1 } },
      onEvent: (event) => events.push(event),
      ...options,
    });
  const typesOf = (events: PoolEvent[]) => new Set(events.map(({ type }) => type));
  const numbers = Array.from({ length: 300 }, (_, n) => n);

  describe('that keeps 200 prepared statements', () => {
    const bouncer = usePgBouncer({ max_prepared_statements: 200 });

    test('named statements give everybody their own answers, whichever session they run on', async () => {
      const events: PoolEvent[] = [];
      await using pool = create(bouncer().url, {}, events);
      const answers = await Promise.all(
        numbers.map((n) => pool.query(`select $1::int as n, ${n % 20} as which`, [n], { prepare: true })),
      );
      answers.forEach(({ rows }, n) => {
        expect(rows).toEqual([{ n, which: n % 20 }]);
      });
      expect(pool.status()).toMatchObject({ pooled: true, invalid: 0 });
      expect(typesOf(events)).not.toContain('prepared_statements_off');
    });

    test('settings hold for the statement that came with them, whoever has the session next', async () => {
      await using pool = create(bouncer().url);
      const shown = (effort?: number) =>
        pool.query("select current_setting('sluice.effort', true) as effort", [], {
          prepare: true,
          ...(effort === undefined ? {} : { settings: { 'sluice.effort': String(effort) } }),
        });
      const answers = await Promise.all(numbers.map((n) => shown(n % 3 === 0 ? undefined : n)));
      answers.forEach(({ rows }, n) => {
        if (n % 3 === 0) expect(rows[0]?.effort || null).toBeNull();
        else expect(rows).toEqual([{ effort: String(n) }]);
      });
      expect(pool.status()).toMatchObject({ pooled: true, invalid: 0 });
    });

    test('statements are healed after their table has changed', async () => {
      await using pool = create(bouncer().url);
      await pool.query('create table changing (a int); ');
      await pool.query('insert into changing values (1)');
      const read = () => pool.query('select * from changing', [], { prepare: true });
      await Promise.all(Array.from({ length: 12 }, read));
      await pool.query('alter table changing add column b int default 2');
      const answers = await Promise.all(Array.from({ length: 24 }, read));
      for (const { rows } of answers) expect(rows).toEqual([{ a: 1, b: 2 }]);
    });

    test('settings that do not arrive are told with SQL that helps, and it does', async () => {
      const events: PoolEvent[] = [];
      const settings = { statement_timeout: '1234ms' };
      {
        await using pool = create(bouncer().url, { settings }, events);
        await Promise.all(Array.from({ length: 6 }, () => pool.query('select pg_sleep(0.01)')));
      }
      const told = events.filter((event) => event.type === 'setting_ignored');
      expect(told).toEqual([
        {
          type: 'setting_ignored',
          setting: 'jit',
          wanted: 'off',
          found: 'on',
          remedy: "alter role current_user set jit = 'off'",
        },
        expect.objectContaining({ setting: 'statement_timeout', wanted: '1234ms', found: '0' }),
      ]);
      {
        await using admin = createPool({ connectionString: server().url, size: 1, maxOverflow: 0 });
        for (const event of told) if (event.type === 'setting_ignored') await admin.query(event.remedy);
        // Role settings apply to new sessions: the pooler has to open its own anew.
        await bouncer().restart();
        const after: PoolEvent[] = [];
        await using pool = create(bouncer().url, { settings }, after);
        const { rows } = await eventually(() =>
          pool.query("select current_setting('jit') as jit, current_setting('statement_timeout') as timeout"),
        );
        expect(rows).toEqual([{ jit: 'off', timeout: '1234ms' }]);
        expect(typesOf(after)).not.toContain('setting_ignored');
        await admin.query('alter role current_user reset all');
        await bouncer().restart();
      }
    });

    test('a setting that the pooler keeps for its client does not reach the next borrower', async () => {
      const events: PoolEvent[] = [];
      await using pool = create(bouncer().url, { size: 1 }, events);
      const zone = "select current_setting('TimeZone') as zone";
      const before = (await pool.query(zone)).rows;
      await pool.session('only', async (lease) => {
        await lease.query("set timezone = 'Asia/Tokyo'");
        expect((await lease.query(zone)).rows).toEqual([{ zone: 'Asia/Tokyo' }]);
      });
      expect((await pool.query(zone)).rows).toEqual(before);
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'invalidate', reason: 'session changed behind a pooler' }),
      );
    });

    test('no session reset is sent, since it would hit the session of somebody else', async () => {
      await using proxy = await proxyTo(bouncer().url);
      // Whoever sends this loses the connection.
      proxy.cutAt('reset all', 'request');
      const events: PoolEvent[] = [];
      await using pool = create(proxy.url, { reset: 'always' }, events);
      await pool.session('only', async (lease) => {
        await lease.query("set search_path = 'public'");
        await lease.query("select set_config('application_name', 'changed', false)");
      });
      await Promise.all(numbers.map((n) => pool.query('select $1::int as n', [n])));
      const broken = events.filter((event) => event.type === 'invalidate');
      expect(broken).toMatchObject([{ reason: 'session changed behind a pooler' }]);
    });

    test('an open transaction is rolled back when its lease is given back', async () => {
      await using pool = create(bouncer().url, { size: 1 });
      await pool.query('create table if not exists left_open (n int)');
      await pool.session('only', async (lease) => {
        await lease.query('begin');
        await lease.query('insert into left_open values (1)');
      });
      expect((await pool.query('select count(*) as count from left_open')).rows).toEqual([{ count: 0 }]);
    });

    test('the application name arrives at the server', async () => {
      const applicationName = 'beyond-the-pooler';
      await using pool = create(bouncer().url, { applicationName });
      const { rows } = await pool.query(
        'select application_name from pg_stat_activity where pid = pg_backend_pid()',
      );
      expect(rows).toEqual([{ application_name: applicationName }]);
    });

    test('an aborted statement is cancelled on the server', async () => {
      const applicationName = 'aborted-behind';
      await using pool = create(bouncer().url, { size: 1, applicationName });
      const controller = new AbortController();
      const running = errorOf(pool.query('select pg_sleep(60)', [], { signal: controller.signal }));
      await withObserver(server().url, async ({ backends }) => {
        const asleep = async () =>
          (await backends(applicationName)).some(
            ({ state, query }) => state === 'active' && /pg_sleep/.test(query),
          );
        await until(asleep);
        controller.abort();
        expect(await running).toMatchObject({ code: 'query_aborted' });
        await until(async () => !(await asleep()));
      });
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      expect(pool.status()).toMatchObject({ opened: 1, invalid: 0 });
    });

    test('aborts at random moments hit nobody else', async () => {
      const seed = randomInt(2 ** 31);
      await using pool = create(bouncer().url, { size: 5 });
      const tally = await abortAtRandom(pool, { count: 300, users: 8, seed });
      expect(tally.answered + tally.aborted, `seed ${seed}`).toBe(300);
      expect(tally.answered, `seed ${seed}`).toBeGreaterThan(60);
      // The last ones may still be being cancelled.
      await eventually(() =>
        expect(pool.status(), `seed ${seed}`).toMatchObject({ checked_out: 0, waiting: 0 }),
      );
      expect(pool.status().invalid, `seed ${seed}`).toBe(0);
    });

    test('a restart of the pooler gives transient errors, and the pool goes on by itself', async () => {
      await using pool = create(bouncer().url);
      await Promise.all(
        numbers.slice(0, 20).map((n) => pool.query('select $1::int', [n], { prepare: true })),
      );
      const held = await pool.acquire('only');
      await bouncer().restart();
      expect(isTransient(await errorOf(held.query('select 1')))).toBe(true);
      await held.release();
      const { rows } = await eventually(() => pool.query('select $1::int as n', [7], { prepare: true }));
      expect(rows).toEqual([{ n: 7 }]);
    });
  });

  describe('that keeps no prepared statements', () => {
    const bouncer = usePgBouncer({ max_prepared_statements: 0 });

    test('settings hold for the statement that came with them', async () => {
      await using pool = create(bouncer().url, { maxStatements: 0 });
      const answers = await Promise.all(
        numbers.map((n) =>
          pool.query("select current_setting('sluice.effort') as effort, $1::int as n", [n], {
            settings: { 'sluice.effort': String(n) },
          }),
        ),
      );
      answers.forEach(({ rows }, n) => {
        expect(rows).toEqual([{ effort: String(n), n }]);
      });
      const { rows } = await pool.query("select current_setting('sluice.effort', true) as effort");
      expect(rows[0]?.effort || null).toBeNull();
    });

    test('they are healed until it is clear that they never work, and then switched off, with an event', async () => {
      const events: PoolEvent[] = [];
      await using pool = create(bouncer().url, {}, events);
      for (let round = 0; round < 6; round += 1) {
        const answers = await Promise.all(
          numbers.map((n) => pool.query(`select $1::int as n, ${n % 5} as which`, [n], { prepare: true })),
        );
        answers.forEach(({ rows }, n) => {
          expect(rows).toEqual([{ n, which: n % 5 }]);
        });
      }
      expect(events.filter(({ type }) => type === 'prepared_statements_off')).toHaveLength(1);
      const { rows } = await pool.query('select $1::int as n', [1], { prepare: true });
      expect(rows).toEqual([{ n: 1 }]);
      expect(pool.status().invalid).toBe(0);
    });
  });
});
