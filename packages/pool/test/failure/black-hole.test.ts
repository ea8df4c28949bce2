import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPool, isTransient, type PoolEvent, type PoolOptions } from '../../src/index.ts';
import { type Backend, withObserver } from '../support/backends.ts';
import { useDatabase } from '../support/database.ts';
import { expectAgreement } from './support/agreement.ts';
import { errorOf, eventually, until } from './support/eventually.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';
import { proxyTo } from './support/through-proxy.ts';

expectNoStrayErrors();

const oneLane = { only: { guaranteed: 0, priority: 1 } };
const pidQuery = 'select pg_backend_pid() as pid';

describeWithServices('postgres', 'a network that loses everything', () => {
  const database = useDatabase();
  let proxy: Awaited<ReturnType<typeof proxyTo>>;
  beforeEach(async () => {
    proxy = await proxyTo(database.url);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const create = (options: Partial<PoolOptions>) =>
    createPool({ connectionString: proxy.url, size: 3, maxOverflow: 0, lanes: oneLane, ...options });

  /** Waits until the server sleeps for this pool. */
  const untilAsleep = (applicationName: string) =>
    withObserver(database.url, ({ backends }) =>
      until(async () =>
        (await backends(applicationName)).find(
          ({ query, state }) => state === 'active' && /pg_sleep/.test(query),
        ),
      ),
    );
  /** A server that sleeps does not look whether its client is still there. */
  const wake = (backend: Backend) => withObserver(database.url, ({ terminate }) => terminate(backend.pid));

  test('while connections are idle costs one ping, and then all of them are replaced', async () => {
    const applicationName = 'lost-idle';
    const events: PoolEvent[] = [];
    await using pool = create({
      applicationName,
      prePingIdleMs: 0,
      pingTimeoutMs: 300,
      connectTimeoutMs: 400,
      onEvent: (event) => events.push(event),
    });
    const leases = await Promise.all(Array.from({ length: 3 }, () => pool.acquire('only')));
    const old = await Promise.all(leases.map(async (lease) => (await lease.query(pidQuery)).rows[0]?.pid));
    await Promise.all(leases.map((lease) => lease.release()));
    proxy.drop();
    const start = performance.now();
    const errors = await Promise.all(Array.from({ length: 10 }, () => errorOf(pool.query(pidQuery))));
    expect(performance.now() - start).toBeLessThan(5_000);
    for (const error of errors) expect(error.code).toBe('connect_failed');
    expect(pool.status()).toMatchObject({ checked_in: 0, checked_out: 0 });
    await proxy.heal();
    const { rows } = await eventually(() => pool.query(pidQuery));
    expect(old).not.toContain(rows[0]?.pid);
    expect(events.filter(({ type }) => type === 'retire')).toHaveLength(1);
    await expectAgreement(pool, database.url, applicationName);
  });

  test('of one connection after the other does not retire those that were opened since', async () => {
    const retired: PoolEvent[] = [];
    await using pool = create({
      applicationName: 'half-open-idle',
      prePingIdleMs: 0,
      pingTimeoutMs: 500,
      onEvent: (event) => event.type === 'retire' && retired.push(event),
    });
    const leases = await Promise.all(Array.from({ length: 2 }, () => pool.acquire('only')));
    await Promise.all(leases.map((lease) => lease.release()));
    proxy.halfOpen();
    const first = pool.acquire('only');
    await sleep(250);
    const second = pool.acquire('only');
    await using fresh = await first;
    await (await second).release();
    const { connection } = fresh;
    await fresh.release();
    expect(retired).toHaveLength(1);
    const all = await Promise.all(Array.from({ length: 3 }, () => pool.acquire('only')));
    expect(all.map((lease) => lease.connection)).toContain(connection);
    await Promise.all(all.map((lease) => lease.release()));
    await expectAgreement(pool, database.url, 'half-open-idle');
  });

  test('while a statement runs lets go of a caller who gives up, at once', async () => {
    const applicationName = 'lost-running';
    await using pool = create({ size: 1, applicationName, cancelTimeoutMs: 300, connectTimeoutMs: 400 });
    const controller = new AbortController();
    const running = errorOf(pool.query('select pg_sleep(60)', [], { signal: controller.signal }));
    const backend = await untilAsleep(applicationName);
    proxy.drop();
    controller.abort();
    expect(await running).toMatchObject({ code: 'query_aborted' });
    // The pool still tries to cancel it.
    expect(pool.status()).toMatchObject({ checked_out: 1, invalid: 0 });
    await until(() => pool.status().invalid === 1);
    await proxy.heal();
    await wake(backend);
    expect((await eventually(() => pool.query('select 1 as one'))).rows).toEqual([{ one: 1 }]);
    await expectAgreement(pool, database.url, applicationName);
  });

  test('while a transaction runs lets go of a caller who gives up, at once', async () => {
    const applicationName = 'lost-transaction';
    await using pool = create({ size: 1, applicationName, cancelTimeoutMs: 300, connectTimeoutMs: 400 });
    const controller = new AbortController();
    const running = errorOf(
      pool.transaction('only', (transaction) => transaction.query('select pg_sleep(60)'), {
        signal: controller.signal,
      }),
    );
    const backend = await untilAsleep(applicationName);
    proxy.drop();
    controller.abort();
    expect(await running).toMatchObject({ code: 'query_aborted' });
    expect(pool.status()).toMatchObject({ checked_out: 1, invalid: 0 });
    await until(() => pool.status().invalid === 1);
    await proxy.heal();
    await wake(backend);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await expectAgreement(pool, database.url, applicationName);
  });

  for (const size of [2, 1]) {
    test(`while a statement runs that nobody gives up is found out by a probe, in a pool of ${size}`, async () => {
      const applicationName = `stalled-${size}`;
      await using pool = create({ size, applicationName, stallProbeMs: 200, connectTimeoutMs: 500 });
      const running = errorOf(pool.query('select pg_sleep(60)'));
      const backend = await untilAsleep(applicationName);
      proxy.drop();
      expect(isTransient(await running)).toBe(true);
      await proxy.heal();
      await wake(backend);
      await eventually(() => pool.query('select 1'));
      await expectAgreement(pool, database.url, applicationName);
    });
  }

  test('of one connection only is found out as well: the server says that it has no such statement', async () => {
    // Settings that change how times are written must not make the server look like another one.
    const settings = { TimeZone: 'Asia/Tokyo', DateStyle: 'German' };
    await using pool = create({ size: 2, applicationName: 'stalled-half', stallProbeMs: 200, settings });
    const lease = await pool.acquire('only');
    await lease.query('select 1');
    proxy.halfOpen();
    expect(isTransient(await errorOf(lease.query('select 2')))).toBe(true);
    await lease.release();
    expect((await pool.query('select 3 as three')).rows).toEqual([{ three: 3 }]);
    await expectAgreement(pool, database.url, 'stalled-half');
  });

  test('of many connections at once is found out for all of them in one round', async () => {
    let opened = 0;
    await using pool = create({
      size: 5,
      applicationName: 'stalled-many',
      stallProbeMs: 300,
      tracer: {
        connect() {
          opened += 1;
          return undefined;
        },
      },
    });
    const leases = await Promise.all(Array.from({ length: 5 }, () => pool.acquire('only')));
    await Promise.all(leases.map((lease) => lease.query('select 1')));
    opened = 0;
    proxy.halfOpen();
    for (const error of await Promise.all(leases.map((lease) => errorOf(lease.query('select 2'))))) {
      expect(isTransient(error)).toBe(true);
    }
    // A probe for each of them would have been five connections.
    expect(opened).toBeGreaterThan(0);
    expect(opened).toBeLessThan(4);
    await Promise.all(leases.map((lease) => lease.release()));
    await expectAgreement(pool, database.url, 'stalled-many');
  });

  test('is told from a server that does not say what its processes do', async () => {
    await using pool = create({ size: 2, stallProbeMs: 100, settings: { track_activities: 'off' } });
    const { rows } = await pool.query("select pg_sleep(0.8), 'done' as state");
    expect(rows[0]).toMatchObject({ state: 'done' });
  });

  test('is told from a statement that only takes its time', async () => {
    await using pool = create({ size: 2, stallProbeMs: 100 });
    const { rows } = await pool.query("select pg_sleep(0.8), 'done' as state");
    expect(rows[0]).toMatchObject({ state: 'done' });
    expect(pool.status().invalid).toBe(0);
  });

  test('while connecting keeps nobody from using what is open', async () => {
    const applicationName = 'hanging-connect';
    await using pool = create({ applicationName, connectTimeoutMs: 2_500 });
    await pool.query('select 1');
    proxy.delay({ connect: 60_000 });
    const blocker = pool.query('select pg_sleep(0.3)');
    const start = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => pool.query('select $1::int as n', [n])),
    );
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(performance.now() - start).toBeLessThan(2_400);
    expect(pool.status().opening).toBeGreaterThan(0);
    await blocker;
    await proxy.heal();
    await expectAgreement(pool, database.url, applicationName);
  });

  test('while connecting ends with a clear error, and leaves nothing on the server', async () => {
    const applicationName = 'lost-connect';
    await using pool = create({ applicationName, connectTimeoutMs: 300, failFastMs: 300 });
    proxy.delay({ connect: 600 });
    const errors = await Promise.all(Array.from({ length: 6 }, () => errorOf(pool.query('select 1'))));
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'connect_failed', retryable: true });
      expect(error.message).toMatch(/300 ms|timeout|timed out/);
    }
    // The proxy now brings to the server what has long been given up here.
    await until(() => proxy.connections === 0);
    await proxy.heal();
    await eventually(() => pool.query('select 1'));
    await expectAgreement(pool, database.url, applicationName);
  });

  test('in the middle of connecting does too', async () => {
    const applicationName = 'lost-handshake';
    await using pool = create({ applicationName, connectTimeoutMs: 400 });
    proxy.delay(60);
    const waiting = errorOf(pool.query('select 1'));
    await until(() => proxy.accepted > 0);
    await sleep(150);
    proxy.drop();
    expect(await waiting).toMatchObject({ code: 'connect_failed', retryable: true });
    await proxy.heal();
    await eventually(() => pool.query('select 1'));
    await expectAgreement(pool, database.url, applicationName);
  });
});
