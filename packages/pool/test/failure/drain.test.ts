import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPool, type PoolOptions } from '../../src/index.ts';
import { withObserver } from '../support/backends.ts';
import { useDatabase } from '../support/database.ts';
import { expectAgreement } from './support/agreement.ts';
import { errorOf, eventually, until } from './support/eventually.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';
import { proxyTo } from './support/through-proxy.ts';

expectNoStrayErrors();

describeWithServices('postgres', 'draining amid failures', () => {
  const database = useDatabase();
  let proxy: Awaited<ReturnType<typeof proxyTo>>;
  beforeEach(async () => {
    proxy = await proxyTo(database.url);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const create = (options: Partial<PoolOptions>) =>
    createPool({
      connectionString: proxy.url,
      size: 4,
      maxOverflow: 0,
      lanes: { only: { guaranteed: 0, priority: 1 } },
      ...options,
    });
  /** The deadline, the two seconds that a connection gets to close, and as much again for a busy machine. */
  const generousMs = 6_000;

  async function timed(work: Promise<unknown>): Promise<number> {
    const start = performance.now();
    await work;
    return performance.now() - start;
  }
  const gone = (applicationName: string) =>
    withObserver(database.url, ({ backends }) =>
      eventually(async () => expect(await backends(applicationName)).toEqual([])),
    );

  test('lets users finish, tells the others, and leaves nothing on the server', async () => {
    const pool = create({ applicationName: 'drain-users', size: 2 });
    const finished = [1, 2].map((n) => pool.query('select $1::int as n, pg_sleep(0.2)', [n]));
    await until(() => pool.status().checked_out === 2);
    const waiting = Array.from({ length: 5 }, () => errorOf(pool.query('select 1')));
    const [first, second] = [pool.drain(), pool.drain(1)];
    expect(await errorOf(pool.query('select 1'))).toMatchObject({ code: 'pool_closed', retryable: false });
    for (const error of await Promise.all(waiting)) expect(error.code).toBe('pool_closed');
    expect((await Promise.all(finished)).map(({ rows }) => rows[0]?.n)).toEqual([1, 2]);
    await Promise.all([first, second, pool.drain()]);
    expect(pool.status()).toMatchObject({
      checked_in: 0,
      checked_out: 0,
      opening: 0,
      waiting: 0,
      closing: 0,
    });
    await gone('drain-users');
  });

  test('stops what is still running at the deadline, on the server too', async () => {
    const pool = create({ applicationName: 'drain-deadline' });
    const cut = errorOf(pool.query('select pg_sleep(60)'));
    await until(() => pool.status().checked_out === 1);
    await sleep(50);
    await pool.drain(100);
    expect(await cut).toBeInstanceOf(Error);
    await gone('drain-deadline');
  });

  test('during start does not wait for a connect that hangs, and leaves nothing on the server', async () => {
    proxy.delay({ connect: 1_000 });
    const pool = create({ applicationName: 'drain-start', connectTimeoutMs: 60_000, minIdle: 2 });
    const waiting = errorOf(pool.query('select 1'));
    expect(pool.status().opening).toBeGreaterThan(0);
    await pool.drain(100);
    expect(await waiting).toMatchObject({ code: 'pool_closed' });
    await proxy.heal();
    await eventually(() => expect(pool.status()).toMatchObject({ opening: 0, closing: 0, checked_in: 0 }));
    await gone('drain-start');
  });

  test('ends by the deadline although idle connections are black-holed', async () => {
    const pool = create({ applicationName: 'drain-idle-hole' });
    await Promise.all(Array.from({ length: 4 }, () => pool.query('select pg_sleep(0.02)')));
    proxy.drop();
    expect(await timed(pool.drain(200))).toBeLessThan(generousMs);
    await proxy.heal();
    await gone('drain-idle-hole');
  });

  test('ends by the deadline although a borrowed connection is black-holed', async () => {
    const pool = create({ applicationName: 'drain-used-hole' });
    const lease = await pool.acquire('only');
    const stuck = errorOf(lease.query('select pg_sleep(0.5)'));
    await sleep(50);
    proxy.drop();
    expect(await timed(pool.drain(200))).toBeLessThan(generousMs);
    expect(await stuck).toBeInstanceOf(Error);
    await lease.release();
    await proxy.heal();
    await gone('drain-used-hole');
  });

  test('ends soon although a listener is black-holed', async () => {
    const heard: string[] = [];
    const pool = create({ applicationName: 'drain-listener' });
    pool.listen('news', (payload) => heard.push(payload));
    await until(() => heard.includes(''));
    proxy.drop();
    expect(await timed(pool.drain(200))).toBeLessThan(generousMs);
    await proxy.heal();
    await gone('drain-listener');
  });

  test('ends soon although a listener is stuck in its first statement', async () => {
    const pool = create({ applicationName: 'drain-young-listener' });
    proxy.delay(40);
    pool.listen('news', () => {});
    // Its connection is set up, and the answer to LISTEN will never come.
    await withObserver(database.url, ({ backends }) =>
      until(async () => (await backends('drain-young-listener')).some(({ query }) => /^listen/.test(query))),
    );
    proxy.drop();
    expect(await timed(pool.drain(200))).toBeLessThan(generousMs);
    await proxy.heal();
    await gone('drain-young-listener');
  });

  test('after everything was lost has nothing to wait for', async () => {
    const pool = create({ applicationName: 'drain-lost' });
    await Promise.all(Array.from({ length: 4 }, () => pool.query('select pg_sleep(0.02)')));
    const lease = await pool.acquire('only');
    proxy.reset();
    proxy.refuse();
    await until(() => pool.status().checked_in === 0);
    await lease.release();
    await errorOf(pool.query('select 1'));
    expect(await timed(pool.drain(10_000))).toBeLessThan(generousMs);
    expect(pool.status()).toMatchObject({ checked_in: 0, checked_out: 0, opening: 0, closing: 0 });
    await gone('drain-lost');
  });

  test('of a pool that nobody used ends at once', async () => {
    await using pool = create({ applicationName: 'drain-unused' });
    expect(await timed(pool.drain(60_000))).toBeLessThan(generousMs);
    await expectAgreement(pool, database.url, 'drain-unused');
  });
});
