import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BinaryRow, createPool, type Pool, type PoolOptions } from '../../src/index.ts';
import { type Backend, withObserver } from '../support/backends.ts';
import { useDatabase } from '../support/database.ts';
import { expectAgreement } from './support/agreement.ts';
import { errorOf, eventually, until } from './support/eventually.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';
import { proxyTo } from './support/through-proxy.ts';

expectNoStrayErrors();

const lanes = { only: { guaranteed: 0, priority: 1 } };
const target = { table: 'copied', columns: [{ name: 'n', type: 'int4' }] };

describeWithServices('postgres', 'aborting', () => {
  const database = useDatabase();
  let proxy: Awaited<ReturnType<typeof proxyTo>>;
  beforeAll(async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    await pool.query('create table copied (n int not null)');
  });
  beforeEach(async () => {
    proxy = await proxyTo(database.url);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const create = (options: Partial<PoolOptions>) =>
    createPool({ connectionString: proxy.url, size: 1, maxOverflow: 0, lanes, ...options });

  function withBackends<T>(
    applicationName: string,
    use: (active: () => Promise<Backend[]>) => Promise<T>,
  ): Promise<T> {
    return withObserver(database.url, ({ backends }) =>
      use(async () => (await backends(applicationName)).filter(({ state }) => state === 'active')),
    );
  }
  const pidOf = async (pool: Pool) => (await pool.query('select pg_backend_pid() as pid')).rows[0]?.pid;

  test('a statement ends it on the server, and the connection serves the next one', async () => {
    const applicationName = 'aborted-statement';
    await using pool = create({ applicationName });
    const pid = await pidOf(pool);
    const controller = new AbortController();
    const reason = new Error('the user has gone');
    const running = errorOf(pool.query('select pg_sleep(60)', [], { signal: controller.signal }));
    await withBackends(applicationName, async (active) => {
      await until(async () => (await active()).length === 1);
      controller.abort(reason);
      expect(await running).toMatchObject({ code: 'query_aborted', cause: reason });
      await until(async () => (await active()).length === 0);
    });
    expect(await pidOf(pool)).toBe(pid);
    expect(pool.status()).toMatchObject({ invalid: 0, opened: 1 });
    await expectAgreement(pool, database.url, applicationName);
  });

  test('a statement ends it on the server also when the request for it comes too late for the connection', async () => {
    const applicationName = 'aborted-late';
    await using pool = create({ applicationName, cancelTimeoutMs: 200 });
    await pidOf(pool);
    const controller = new AbortController();
    const running = errorOf(pool.query('select pg_sleep(60)', [], { signal: controller.signal }));
    await withBackends(applicationName, async (active) => {
      await until(async () => (await active()).length === 1);
      proxy.delay({ connect: 400 });
      controller.abort();
      expect(await running).toMatchObject({ code: 'query_aborted' });
      await until(() => pool.status().invalid === 1);
      // Nobody waits for it, and a sleeping server does not notice that its client has gone.
      await until(async () => (await active()).length === 0);
    });
    await proxy.heal();
    await expectAgreement(pool, database.url, applicationName);
  });

  test('a transaction ends its statement and undoes the rest, and the connection serves the next one', async () => {
    const applicationName = 'aborted-transaction';
    await using pool = create({ applicationName });
    const pid = await pidOf(pool);
    const controller = new AbortController();
    const running = errorOf(
      pool.transaction(
        'only',
        async (transaction) => {
          await transaction.query('insert into copied values (1)');
          await transaction.query('select pg_sleep(60)');
        },
        { signal: controller.signal },
      ),
    );
    await withBackends(applicationName, async (active) => {
      await until(async () => (await active()).some(({ query }) => /pg_sleep/.test(query)));
      controller.abort();
      expect(await running).toMatchObject({ code: 'query_aborted' });
      await until(async () => (await active()).length === 0);
    });
    expect((await pool.query('select count(*) as count from copied')).rows).toEqual([{ count: 0 }]);
    expect(await pidOf(pool)).toBe(pid);
    await expectAgreement(pool, database.url, applicationName);
  });

  test('before anything was sent sends nothing', async () => {
    await using pool = create({});
    const signal = AbortSignal.abort();
    expect(await errorOf(pool.query('insert into copied values (1)', [], { signal }))).toMatchObject({
      code: 'acquire_aborted',
    });
    await using lease = await pool.acquire('only');
    expect(await errorOf(lease.query('insert into copied values (1)', [], { signal }))).toMatchObject({
      code: 'query_aborted',
    });
    expect((await lease.query('select count(*) as count from copied')).rows).toEqual([{ count: 0 }]);
  });

  test('a statement in line behind another of its lease never runs it, and leaves the other alone', async () => {
    const applicationName = 'aborted-in-line';
    await using pool = create({ applicationName });
    await using lease = await pool.acquire('only');
    const controller = new AbortController();
    const first = lease.query("select pg_sleep(0.3), 'first' as which");
    const second = errorOf(lease.query('insert into copied values (1)', [], { signal: controller.signal }));
    const third = lease.query("select 'third' as which");
    await sleep(50);
    controller.abort();
    expect(await second).toMatchObject({ code: 'query_aborted' });
    expect((await first).rows[0]).toMatchObject({ which: 'first' });
    expect((await third).rows[0]).toMatchObject({ which: 'third' });
    expect((await lease.query('select count(*) as count from copied')).rows).toEqual([{ count: 0 }]);
    await lease.release();
    await expectAgreement(pool, database.url, applicationName);
  });

  test('the first of a lease lets those behind it run', async () => {
    await using pool = create({ applicationName: 'aborted-first' });
    await using lease = await pool.acquire('only');
    const controller = new AbortController();
    const first = errorOf(lease.query('select pg_sleep(60)', [], { signal: controller.signal }));
    const behind = [1, 2, 3].map((n) => lease.query('select $1::int as n', [n]));
    await sleep(50);
    controller.abort();
    expect(await first).toMatchObject({ code: 'query_aborted' });
    expect((await Promise.all(behind)).map(({ rows }) => rows[0]?.n)).toEqual([1, 2, 3]);
  });

  test('a wait in line takes nothing from those who go on waiting', async () => {
    await using pool = create({ applicationName: 'aborted-wait' });
    const held = await pool.acquire('only');
    const controllers = Array.from({ length: 10 }, () => new AbortController());
    const waiting = controllers.map(({ signal }, n) =>
      pool.query('select $1::int as n', [n], { signal }).then(
        ({ rows }) => rows[0]?.n,
        (error) => error.code,
      ),
    );
    controllers.forEach((controller, n) => {
      if (n % 2) controller.abort();
    });
    await held.release();
    expect(await Promise.all(waiting)).toEqual(controllers.map((_, n) => (n % 2 ? 'acquire_aborted' : n)));
    expect(pool.status()).toMatchObject({ waiting: 0, checked_out: 0 });
  });

  test('while a connection is validated gives it to the next one', async () => {
    const applicationName = 'aborted-ping';
    await using pool = create({ applicationName, prePingIdleMs: 0, pingTimeoutMs: 10_000 });
    const pid = await pidOf(pool);
    proxy.delay(200);
    const controller = new AbortController();
    const waiting = errorOf(pool.query('select 1', [], { signal: controller.signal }));
    const next = pidOf(pool);
    await sleep(50);
    controller.abort();
    expect(await waiting).toMatchObject({ code: 'acquire_aborted' });
    // Its ping is still under way.
    expect(pool.status()).toMatchObject({ checked_out: 1, checked_in: 0 });
    expect(await next).toBe(pid);
    await proxy.heal();
    expect(pool.status()).toMatchObject({ checked_in: 1, checked_out: 0, pings_failed: 0 });
    await expectAgreement(pool, database.url, applicationName);
  });

  test('while a connection is opened leaves it to the next one', async () => {
    const applicationName = 'aborted-opening';
    proxy.delay({ connect: 300 });
    await using pool = create({ applicationName });
    const controller = new AbortController();
    const waiting = errorOf(pool.acquire('only', { signal: controller.signal }));
    await until(() => pool.status().opening === 1);
    controller.abort();
    expect(await waiting).toMatchObject({ code: 'acquire_aborted' });
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.status()).toMatchObject({ opened: 1 });
    await expectAgreement(pool, database.url, applicationName);
  });

  test('a COPY keeps nothing of it, and the connection serves the next one', async () => {
    const applicationName = 'aborted-copy';
    await using pool = create({ applicationName });
    const pid = await pidOf(pool);
    for (const afterRows of [0, 1, 1_000, 40_000]) {
      const controller = new AbortController();
      async function* source(): AsyncGenerator<BinaryRow> {
        for (let n = 0; ; n += 1) {
          if (n === afterRows) controller.abort();
          const field = Buffer.alloc(4);
          field.writeInt32BE(n);
          yield [field];
          if (n % 500 === 0) await sleep(1);
        }
      }
      const error = await errorOf(pool.copyFrom('only', target, source(), { signal: controller.signal }));
      expect(error).toMatchObject({ code: 'query_aborted' });
    }
    expect((await pool.query('select count(*) as count from copied')).rows).toEqual([{ count: 0 }]);
    expect(await pidOf(pool)).toBe(pid);
    await eventually(() => expect(pool.status()).toMatchObject({ checked_in: 1, opened: 1 }));
    await expectAgreement(pool, database.url, applicationName);
  });
});
