import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createPool, type Lease, PoolError } from '../src/index.ts';
import { errorOf, until } from './failure/support/eventually.ts';
import { proxyTo } from './failure/support/through-proxy.ts';
import { FakeClock } from './mechanism/support/fake-clock.ts';
import { useDatabase } from './support/database.ts';

describeWithServices('postgres', 'the deadline of a borrower', () => {
  const database = useDatabase();
  const createSingle = (clock: FakeClock) =>
    createPool({ connectionString: database.url, size: 1, maxOverflow: 0, clock });

  test.each([
    ['interactive', 5_000],
    ['bulk', 30_000],
    ['control', 30_000],
  ])(
    'on lane %s is %i ms unless told otherwise, and is kept to the millisecond',
    async (lane, deadlineMs) => {
      const clock = new FakeClock();
      await using pool = createSingle(clock);
      await using _held = await pool.acquire('bulk');
      let error: unknown;
      const waiting = errorOf(pool.acquire(lane)).then((caught) => {
        error = caught;
      });
      await clock.advance(deadlineMs - 1);
      expect([error, pool.status().waiting]).toEqual([undefined, 1]);
      await clock.advance(1);
      await waiting;
      expect(error).toMatchObject({ code: 'acquire_timeout' });
      expect(pool.status()).toMatchObject({ waiting: 0, timeouts: 1, lanes: { [lane]: { timeouts: 1 } } });
    },
  );

  test.each([
    ['the connection comes back first', 'served'],
    ['the deadline comes first', 'acquire_timeout'],
  ])('in the same instant as a hand-over settles them once: %s', async (order, expected) => {
    const clock = new FakeClock();
    await using pool = createSingle(clock);
    for (let round = 0; round < 50; round += 1) {
      const held = await pool.acquire('bulk');
      const giveBack = () => clock.setTimeout(() => void held.release(), 80);
      if (expected === 'served') giveBack();
      const asking = pool.acquire('bulk', { timeoutMs: 80 });
      const outcome = asking.then(
        () => 'served',
        (error: PoolError) => error.code,
      );
      if (expected !== 'served') giveBack();
      await clock.advance(80);
      expect(await outcome, `${order}, round ${round}`).toBe(expected);
      await asking.then(
        (lease: Lease) => lease.release(),
        () => {},
      );
      expect(pool.status()).toMatchObject({ checked_out: 0, checked_in: 1, waiting: 0 });
    }
    expect(pool.status().opened).toBe(1);
  });

  test('has the picture of the pool in its error, and why nothing more could be opened', async () => {
    await using proxy = await proxyTo(database.url);
    await using pool = createPool({ connectionString: proxy.url, size: 2, maxOverflow: 1 });
    await using _held = await pool.acquire('bulk');
    proxy.refuse();
    const others = Array.from({ length: 2 }, () => errorOf(pool.acquire('bulk', { timeoutMs: 5_000 })));
    await until(() => pool.status().connect_failures > 0);
    const error = await errorOf<PoolError>(pool.acquire('bulk', { timeoutMs: 100 }));
    expect(error).toBeInstanceOf(PoolError);
    expect(error.message).toMatch(
      /no connection for lane bulk within 100 ms: 1 in use, 0 idle, \d opening, 3 waiting, limit 2 \+ 1; last connect error: .*ECONN/,
    );
    expect(error.picture).toMatchObject({ lane: 'bulk', checkedOut: 1, idle: 0, waiting: 3, limit: 3 });
    await proxy.heal();
    await pool.drain(1);
    for (const { code } of await Promise.all(others)) expect(code).toMatch(/pool_closed|acquire_timeout/);
  });
});
