import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { expect, test, vi } from 'vitest';
import { createPool, type PoolEvent } from '../src/index.ts';
import { withObserver } from './support/backends.ts';
import { useDatabase } from './support/database.ts';

const lanes = { only: { guaranteed: 0, priority: 1 } };

describeWithServices('postgres', 'the size of a pool', () => {
  const database = useDatabase();

  test('is warmed up before anybody asks, and kept while it is idle', async () => {
    await using pool = createPool({
      connectionString: database.url,
      size: 4,
      maxOverflow: 0,
      minIdle: 3,
      idleTimeoutMs: 40,
      lanes,
    });
    await pool.ready();
    await expect.poll(() => pool.status().checked_in).toBe(3);
    const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire('only')));
    await Promise.all(leases.map((lease) => lease.release()));
    expect(pool.status().checked_in).toBe(4);
    await expect.poll(() => pool.status().checked_in).toBe(3);
    await sleep(100);
    expect(pool.status().checked_in).toBe(3);
  });

  test('comes back to what is to be kept after all of it was lost', async () => {
    await using pool = createPool({
      connectionString: database.url,
      size: 4,
      maxOverflow: 0,
      minIdle: 2,
      applicationName: 'evicted',
      lanes,
    });
    await withObserver(database.url, async ({ backends, terminate }) => {
      const two = () =>
        vi.waitUntil(async () => (await backends('evicted')).length === 2 && backends('evicted'));
      const before = (await two()).map(({ pid }) => pid);
      await terminate(...before);
      await expect.poll(() => pool.status().invalid).toBe(2);
      const after = (await two()).map(({ pid }) => pid);
      for (const pid of after) expect(before).not.toContain(pid);
    });
  });

  test('shrinks while it is used: borrowers finish, and nothing is opened beyond', async () => {
    const events: PoolEvent[] = [];
    await using pool = createPool({
      connectionString: database.url,
      size: 6,
      maxOverflow: 0,
      lanes,
      onEvent: (event) => events.push(event),
    });
    const leases = await Promise.all(Array.from({ length: 6 }, () => pool.acquire('only')));
    const waiting = Array.from({ length: 4 }, () => pool.acquire('only'));
    pool.resize(2, 0);
    for (const lease of leases) expect((await lease.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await Promise.all(leases.slice(0, 4).map((lease) => lease.release()));
    expect(pool.status()).toMatchObject({ pool_size: 2, checked_out: 2, checked_in: 0, waiting: 4 });
    await Promise.all(leases.slice(4).map((lease) => lease.release()));
    for (const lease of await Promise.all(waiting.slice(0, 2))) await lease.release();
    for (const lease of await Promise.all(waiting.slice(2))) await lease.release();
    expect(events).toContainEqual({ type: 'resize', size: 2, maxOverflow: 0, reason: 'caller' });
    expect(pool.status()).toMatchObject({ resizes: 1, checked_in: 2 });
  });

  test('grows while borrowers wait, and serves them at once', async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0, lanes });
    const leases = [await pool.acquire('only')];
    const waiting = Array.from({ length: 3 }, () => pool.acquire('only'));
    await sleep(20);
    expect(pool.status().waiting).toBe(3);
    pool.resize(4, 0);
    leases.push(...(await Promise.all(waiting)));
    expect(pool.status()).toMatchObject({ checked_out: 4, waiting: 0 });
    await Promise.all(leases.map((lease) => lease.release()));
  });

  test('that makes no sense is refused, and nothing changes', async () => {
    await using pool = createPool({ connectionString: database.url, size: 3, maxOverflow: 1, lanes });
    for (const [size, overflow] of [
      [Number.NaN, 0],
      [-1, 0],
      [2.5, 0],
      [2, -1],
      [2, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(() => pool.resize(size, overflow)).toThrow(RangeError);
    }
    expect(pool.status()).toMatchObject({ pool_size: 3, max_overflow: 1, resizes: 0 });
  });

  test('does not grow by overflow for a burst of short queries', async () => {
    await using pool = createPool({
      connectionString: database.url,
      size: 4,
      maxOverflow: 30,
      overflowDelayMs: 2_000,
      lanes,
    });
    await Promise.all(Array.from({ length: 200 }, () => pool.lane('only').query('select 1')));
    expect(pool.status().opened).toBeLessThanOrEqual(4);
  });
});
