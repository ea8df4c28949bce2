import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { expect, test, vi } from 'vitest';
import { createPool, type PoolEvent } from '../src/index.ts';
import { withObserver } from './support/backends.ts';
import { useDatabase } from './support/database.ts';

describeWithServices('postgres', 'borrowing', () => {
  const database = useDatabase();

  test('100 concurrent borrowers never hold more than core and overflow, and all are served', async () => {
    const seed = Date.now() % 100_000;
    let open = 0;
    let lent = 0;
    let mostOpen = 0;
    let mostLent = 0;
    const { promise: full, resolve: whenFull } = Promise.withResolvers<void>();
    const onEvent = ({ type }: PoolEvent) => {
      open += Number(type === 'connect') - Number(type === 'close');
      lent += Number(type === 'checkout') - Number(type === 'checkin');
      mostOpen = Math.max(mostOpen, open);
      mostLent = Math.max(mostLent, lent);
      if (mostLent === 7) whenFull();
    };
    await using pool = createPool({
      connectionString: database.url,
      size: 4,
      maxOverflow: 3,
      overflowDelayMs: 1,
      onEvent,
    });
    const lanes = ['interactive', 'bulk', 'control'] as const;
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        pool.lane(lanes[(seed + i) % 3] as (typeof lanes)[number]).session(async (lease) => {
          expect(pool.status().checked_out).toBeLessThanOrEqual(7);
          // Else a seed of short statements could have them all served before the overflow is open.
          await full;
          const { rows } = await lease.query('select $1::int as i, pg_sleep($2::float8)', [
            i,
            ((seed * (i + 1)) % 20) / 250,
          ]);
          return rows[0]?.i;
        }),
      ),
    );
    expect(answers, `seed ${seed}`).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(mostOpen).toBeLessThanOrEqual(7);
    expect(mostLent).toBe(7);
  });

  test('overflow connections are closed when they are given back, core ones stay', async () => {
    await using pool = createPool({
      connectionString: database.url,
      size: 2,
      maxOverflow: 3,
      applicationName: 'overflowing',
      lanes: { only: { guaranteed: 0, priority: 1 } },
    });
    const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire('only')));
    expect(pool.status()).toMatchObject({ checked_out: 4, overflow: 2 });
    await Promise.all(leases.map((lease) => lease.release()));
    expect(pool.status()).toMatchObject({ checked_out: 0, checked_in: 2, overflow: 0 });
    await withObserver(database.url, ({ backends }) =>
      vi.waitFor(async () => expect(await backends('overflowing')).toHaveLength(2)),
    );
  });

  test('a borrower that waited too long is told the figures and the settings to change', async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    await using _held = await pool.lane('interactive').acquire();
    const start = performance.now();
    const error = await pool
      .lane('interactive')
      .acquire({ timeoutMs: 80 })
      .catch((caught: unknown) => caught);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(error).toMatchObject({ name: 'PoolError', code: 'acquire_timeout', retryable: true });
    expect((error as Error).message).toMatch(
      /lane interactive within 80 ms: 1 in use, 0 idle, .*limit 1 \+ 0/,
    );
    expect((error as Error).message).toMatch(/DB_POOL_SIZE.*DB_MAX_OVERFLOW/);
    expect(pool.status().waiting).toBe(0);
  });

  test('an aborted waiter leaves the line at once, and the next one is served', async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    const held = await pool.lane('interactive').acquire();
    const controller = new AbortController();
    const aborted = pool.lane('interactive').acquire({ signal: controller.signal });
    const patient = pool.lane('interactive').acquire();
    controller.abort(new Error('the client hung up'));
    await expect(aborted).rejects.toMatchObject({
      code: 'acquire_aborted',
      cause: expect.objectContaining({ message: 'the client hung up' }),
    });
    expect(pool.status().waiting).toBe(1);
    await held.release();
    await (await patient).release();
    expect(pool.status()).toMatchObject({ checked_out: 0, waiting: 0 });
  });

  test('a signal that was aborted before is refused with the same error', async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    await expect(pool.lane('bulk').acquire({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'acquire_aborted',
    });
    expect(pool.status().waiting).toBe(0);
  });

  test('a connection past its age is not handed out any more, and is replaced', async () => {
    await using pool = createPool({
      connectionString: database.url,
      size: 1,
      maxOverflow: 0,
      recycleMs: 200,
    });
    const pid = 'select pg_backend_pid() as pid';
    const { rows: first } = await pool.query(pid);
    expect((await pool.query(pid)).rows).toEqual(first);
    await sleep(250);
    expect((await pool.query(pid)).rows).not.toEqual(first);
    expect(pool.status().recycled).toBeGreaterThanOrEqual(1);
  });

  test('a time without end is a long one, and not none', async () => {
    const never = Number.POSITIVE_INFINITY;
    await using pool = createPool({
      connectionString: database.url,
      size: 1,
      maxOverflow: 1,
      acquireTimeoutMs: never,
      connectTimeoutMs: never,
      pingTimeoutMs: never,
      overflowDelayMs: never,
      lanes: { only: { guaranteed: 0, priority: 1 } },
    });
    const held = await pool.acquire('only');
    await held.query('set work_mem = 12345');
    const patient = pool.acquire('only', { timeoutMs: never });
    await sleep(50);
    expect(pool.status()).toMatchObject({ waiting: 1, opened: 1 });
    const drained = pool.query('select pg_sleep(0.1)').then(() => 'done');
    await held.release();
    await (await patient).release();
    const draining = pool.drain(never);
    expect(await drained).toBe('done');
    await draining;
    expect(pool.status()).toMatchObject({ invalid: 0, closed: 1 });
  });

  test('what makes no sense is refused with the name of the option', async () => {
    const connectionString = database.url;
    const lane = { guaranteed: 0, priority: 1 };
    for (const [options, message] of [
      [{ size: 0 }, /size is 0/],
      [{ maxOverflow: 2.5 }, /maxOverflow is 2\.5/],
      [{ recycleMs: Number.NaN }, /recycleMs is NaN/],
      [{ reset: 'sometimes' as never }, /reset is sometimes/],
      [{ defaultLane: 'toString' }, /no lane is named toString/],
      [{ lanes: { a: { ...lane, max: 1.5 } } }, /max of a lane is 1\.5/],
      [{ lanes: { a: { ...lane, maxWaiting: 0 } } }, /maxWaiting is 0/],
      [{ lanes: { a: { ...lane, priority: Number.NaN } } }, /priority of a lane is NaN/],
      [
        { lanes: { a: { ...lane, shedding: { targetMs: Number.NaN, intervalMs: 1 } } } },
        /targetMs of shedding is NaN/,
      ],
    ] as const) {
      expect(() => createPool({ connectionString, ...options })).toThrow(message);
    }
    await using pool = createPool({ connectionString, size: 1, maxOverflow: 0 });
    for (const lane of ['toString', 'constructor', '__proto__']) {
      await expect(pool.acquire(lane)).rejects.toMatchObject({ code: 'unknown_lane' });
    }
    await expect(pool.acquire('bulk', { timeoutMs: Number.NaN })).rejects.toThrow(RangeError);
    await expect(pool.acquire('bulk', { timeoutMs: -1 })).rejects.toThrow(RangeError);
    expect(pool.status()).toMatchObject({ waiting: 0, opened: 0 });
  });

  test('connections carry the name and the settings of the pool', async () => {
    await using pool = createPool({
      connectionString: database.url,
      applicationName: 'sluice-named',
      settings: { 'hnsw.ef_search': '77', statement_timeout: '12s' },
    });
    const shown = async (name: string) => Object.values((await pool.query(`show ${name}`)).rows[0] ?? {})[0];
    expect(await shown('jit')).toBe('off');
    expect(await shown('hnsw.ef_search')).toBe('77');
    expect(await shown('statement_timeout')).toBe('12s');
    const { rows } = await pool.query(
      'select application_name from pg_stat_activity where pid = pg_backend_pid()',
    );
    expect(rows).toEqual([{ application_name: 'sluice-named' }]);
  });

  test('a pool that cannot keep the promises to its lanes is refused when it is made', () => {
    const lane = { guaranteed: 4, priority: 1 };
    const connectionString = database.url;
    expect(() =>
      createPool({ connectionString, size: 5, maxOverflow: 0, lanes: { interactive: lane, bulk: lane } }),
    ).toThrow(/guarantee 8 connections, but the pool keeps only 5/);
    expect(() => createPool({ connectionString, size: 0 })).toThrow(RangeError);
  });
});
