import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createPool } from '../src/index.ts';
import { FakeClock } from './mechanism/support/fake-clock.ts';
import { useDatabase } from './support/database.ts';

describeWithServices('postgres', 'draining', () => {
  const database = useDatabase();
  const createSingle = () => createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });

  test('waits for borrowers, and refuses those who wait or come later', async () => {
    const pool = createSingle();
    const lease = await pool.lane('interactive').acquire();
    const waiting = expect(pool.query('select 1')).rejects.toMatchObject({
      code: 'pool_closed',
      retryable: false,
    });
    let drained = false;
    const draining = pool.drain().then(() => {
      drained = true;
    });
    await waiting;
    await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'pool_closed' });
    expect((await lease.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await sleep(30);
    expect(drained).toBe(false);
    await lease.release();
    await draining;
    expect(pool.status()).toMatchObject({ checked_in: 0, checked_out: 0, waiting: 0 });
  });

  test('cuts a statement that is still running at the deadline', async () => {
    const pool = createSingle();
    const cut = expect(pool.query('select pg_sleep(1.5)')).rejects.toThrow(/terminated/);
    while (pool.status().checked_out === 0) await sleep(5);
    const start = performance.now();
    await pool.drain(100);
    await cut;
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test('ends at the deadline although a borrower never gives back', async () => {
    const pool = createSingle();
    const lease = await pool.lane('interactive').acquire();
    const start = performance.now();
    await pool.drain(100);
    expect(performance.now() - start).toBeLessThan(1_000);
    await expect(lease.query('select 1')).rejects.toThrow();
    expect(pool.status()).toMatchObject({ checked_in: 0, checked_out: 0, closed: 1 });
    await lease.release();
    expect(pool.status()).toMatchObject({ checked_in: 0, checked_out: 0, closed: 1 });
  });

  test('from within its own events is over when it is over', async () => {
    const clock = new FakeClock();
    const pool = createPool({
      connectionString: database.url,
      size: 2,
      maxOverflow: 0,
      minIdle: 2,
      leakAfterMs: 1_000,
      clock,
      onEvent({ type }) {
        if (type === 'leak') void pool.drain(1);
      },
    });
    await pool.ready();
    const lease = await pool.acquire('bulk');
    await clock.advance(1_000);
    await pool.drain();
    await lease.release();
    const { timersSet } = clock;
    await clock.advance(60_000);
    expect(clock.timersSet).toBe(timersSet);
    expect(pool.status()).toMatchObject({ checked_in: 0, checked_out: 0, opening: 0 });
  });

  test('twice, or at once from several sides, is one drain', async () => {
    const pool = createSingle();
    await pool.query('select 1');
    await Promise.all([pool.drain(), pool.drain(), pool[Symbol.asyncDispose]()]);
    await pool.drain();
    expect(pool.status()).toMatchObject({ checked_in: 0, checked_out: 0 });
  });

  test('closes a connection that was still being opened', async () => {
    const pool = createSingle();
    const waiting = expect(pool.query('select 1')).rejects.toMatchObject({ code: 'pool_closed' });
    expect(pool.status().opening).toBe(1);
    await pool.drain();
    await waiting;
    expect(pool.status()).toMatchObject({ opening: 0, checked_in: 0 });
  });
});
