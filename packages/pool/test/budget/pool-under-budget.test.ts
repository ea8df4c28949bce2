import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createPool, createServerBudget, createStaticBudget, type PoolEvent } from '../../src/index.ts';
import { errorOf, eventually, until } from '../failure/support/eventually.ts';
import { expectNoStrayErrors } from '../failure/support/stray-errors.ts';
import { proxyTo } from '../failure/support/through-proxy.ts';
import { withObserver } from '../support/backends.ts';
import { useDatabase } from '../support/database.ts';

expectNoStrayErrors();

const lanes = { only: { guaranteed: 0, priority: 1 } };

describeWithServices('postgres', 'a pool under a budget', () => {
  const database = useDatabase();

  /** A fleet of its own in the database, on a limit that has nothing to do with the server's. */
  function createFleet(limit: number) {
    const schema = `fleet_${randomUUID().slice(0, 8)}`;
    return (options: { size: number; floor?: number; joinTimeoutMs?: number; connectionString?: string }) => {
      const connectionString = options.connectionString ?? database.url;
      const budget = createServerBudget({
        connectionString,
        store: { schema },
        limit,
        reserve: 2,
        floor: options.floor ?? 3,
        cap: options.size + 1,
        joinTimeoutMs: options.joinTimeoutMs ?? 10_000,
        heartbeatMs: 100,
        ttlMs: 2_000,
      });
      const events: PoolEvent[] = [];
      const pool = createPool({
        connectionString,
        size: options.size,
        maxOverflow: 0,
        failFastMs: 300,
        lanes,
        budget,
        dedicated: budget.dedicated,
        onEvent: (event) => events.push(event),
      });
      return { pool, budget, events };
    };
  }

  test('with a constant share is as large as that, less what is opened beside it', async () => {
    const budget = createStaticBudget({ limit: 25, reserve: 5, members: 4 });
    await using pool = createPool({ connectionString: database.url, budget, dedicated: 2, lanes });
    await pool.ready();
    expect(pool.status()).toMatchObject({ budget_share: 5, pool_size: 3, max_overflow: 0 });
    const leases = await Promise.all(Array.from({ length: 3 }, () => pool.acquire('only')));
    expect((await errorOf(pool.acquire('only', { timeoutMs: 50 }))).code).toBe('acquire_timeout');
    await Promise.all(leases.map((lease) => lease.release()));
  });

  test('shows its share, gives way to another that joins, and grows back when that one has left', async () => {
    const join = createFleet(18);
    const one = join({ size: 15 });
    await one.pool.ready();
    await until(() => one.pool.status().budget_share === 16);
    expect(one.pool.status()).toMatchObject({ pool_size: 15, max_overflow: 0 });
    const two = join({ size: 15 });
    await two.pool.ready();
    await until(() => one.pool.status().budget_share === 8 && two.pool.status().budget_share === 8);
    expect(one.pool.status().pool_size).toBe(7);
    expect(one.events).toContainEqual({ type: 'resize', size: 7, maxOverflow: 0, reason: 'budget' });
    await two.pool.drain();
    await until(() => one.pool.status().budget_share === 16);
    await one.pool.drain();
  });

  test('counts a listening connection: the pool becomes one smaller for it', async () => {
    const { pool } = createFleet(12)({ size: 15 });
    await pool.ready();
    await until(() => pool.status().budget_share === 10);
    expect(pool.status().pool_size).toBe(9);
    const payloads: string[] = [];
    const listener = pool.listen('budgeted', (payload) => payloads.push(payload));
    await eventually(() => expect(payloads).toEqual(['']));
    expect(pool.status()).toMatchObject({ pool_size: 8, listening: 1 });
    await listener.close();
    expect(pool.status()).toMatchObject({ pool_size: 9, listening: 0 });
    await pool.drain();
  });

  test('makes a listener wait until a borrower has given back, one listener after the other', async () => {
    const budget = createStaticBudget({ limit: 3, reserve: 0, members: 1 });
    await using pool = createPool({
      connectionString: database.url,
      applicationName: 'no-room',
      size: 3,
      maxOverflow: 0,
      lanes,
      budget,
    });
    await pool.ready();
    const leases = await Promise.all(Array.from({ length: 3 }, () => pool.acquire('only')));
    const heard: string[] = [];
    const listeners = ['one', 'two'].map((channel) => pool.listen(channel, () => heard.push(channel)));
    await withObserver(database.url, async ({ backends }) => {
      await sleep(200);
      expect([heard, (await backends('no-room')).length]).toEqual([[], 3]);
      await leases[0]?.release();
      await until(() => heard.length === 1);
      await sleep(100);
      expect([heard.length, (await backends('no-room')).length]).toEqual([1, 3]);
      await leases[1]?.release();
      await until(() => heard.length === 2);
      expect(await backends('no-room')).toHaveLength(3);
      expect(pool.status().pool_size).toBe(1);
    });
    await Promise.all(listeners.map((listener) => listener.close()));
    expect(pool.status().pool_size).toBe(3);
    await leases[2]?.release();
  });

  test('lets go at once of listeners that wait for room, when they are closed and when it is drained', async () => {
    const budget = createStaticBudget({ limit: 2, reserve: 0, members: 1 });
    const pool = createPool({ connectionString: database.url, size: 2, maxOverflow: 0, lanes, budget });
    await pool.ready();
    const leases = await Promise.all(Array.from({ length: 2 }, () => pool.acquire('only')));
    const closed = pool.listen('one', () => {});
    pool.listen('two', () => {});
    const start = performance.now();
    await closed.close();
    await Promise.all(leases.map((lease) => lease.release()));
    const blocker = await pool.acquire('only');
    pool.listen('three', () => {});
    pool.listen('four', () => {});
    await blocker.release();
    await pool.drain(60_000);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(() => pool.listen('late', () => {})).toThrow(expect.objectContaining({ code: 'pool_closed' }));
  });

  test('that does not fit any more is refused with the figures, tells its borrowers, and joins when there is room', async () => {
    const join = createFleet(8);
    const first = join({ size: 4, floor: 4 });
    await first.pool.ready();
    const second = join({ size: 4, floor: 4, joinTimeoutMs: 700 });
    const refusal = await errorOf(second.pool.ready());
    expect(refusal).toMatchObject({ code: 'budget_exhausted', retryable: true });
    expect(refusal.message).toMatch(
      /within 700 ms: limit 8, reserve 2, floor 4; 1 member with \d connections/,
    );
    expect(await errorOf(second.pool.query('select 1'))).toMatchObject({
      code: expect.stringMatching(/^budget_(exhausted|unreachable)$/),
    });
    expect(second.pool.status()).toMatchObject({ budget_share: 0, pool_size: 0, opened: 0 });
    await first.pool.drain();
    expect((await eventually(() => second.pool.query('select 1 as one'))).rows).toEqual([{ one: 1 }]);
    await second.pool.drain();
  });

  test('whose store cannot be reached opens nothing, says so, and joins when it can', async () => {
    await using proxy = await proxyTo(database.url);
    proxy.refuse();
    const { pool } = createFleet(8)({ size: 4, joinTimeoutMs: 500, connectionString: proxy.url });
    expect(await errorOf(pool.ready())).toMatchObject({ code: 'budget_unreachable', retryable: true });
    const error = await errorOf(pool.query('select 1'));
    expect(error).toMatchObject({ code: 'budget_unreachable', message: expect.stringMatching(/budget/) });
    expect(pool.status()).toMatchObject({ opened: 0, budget_share: 0 });
    await proxy.heal();
    expect((await eventually(() => pool.query('select 1 as one'))).rows).toEqual([{ one: 1 }]);
    await pool.drain();
  });

  test('finds its store again after the connection to it fell silent, and does not wait for it to be drained', async () => {
    await using proxy = await proxyTo(database.url);
    const { pool, budget } = createFleet(12)({ size: 9, connectionString: proxy.url });
    await pool.ready();
    await until(() => budget.status().share === 10);
    proxy.halfOpen();
    await until(() => budget.status().degraded !== undefined);
    await until(() => budget.status().degraded === undefined && budget.status().share === 10);
    proxy.drop();
    const start = performance.now();
    await pool.drain(500);
    expect(performance.now() - start).toBeLessThan(10_000);
    await proxy.heal();
  });

  test('that is drained while it still waits for its share ends at once', async () => {
    const join = createFleet(8);
    const first = join({ size: 4, floor: 4 });
    await first.pool.ready();
    const second = join({ size: 4, floor: 4, joinTimeoutMs: 60_000 });
    const ready = errorOf(second.pool.ready());
    const waiting = errorOf(second.pool.acquire('only'));
    const start = performance.now();
    await second.pool.drain();
    expect(performance.now() - start).toBeLessThan(5_000);
    expect((await waiting).code).toMatch(/pool_closed|budget_unreachable/);
    await ready;
    await first.pool.drain();
  });
});
