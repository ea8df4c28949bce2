import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices, freePort } from '@sluice/testing';
import { expect, test, vi } from 'vitest';
import { createPool, type PoolEvent } from '../src/index.ts';
import { withObserver } from './support/backends.ts';
import { useDatabase } from './support/database.ts';

describeWithServices('postgres', 'what a pool tells', () => {
  const database = useDatabase();

  test('of a connection comes in order: connect, checkouts and checkins in turn, close', async () => {
    const events: PoolEvent[] = [];
    const pool = createPool({
      connectionString: database.url,
      size: 2,
      maxOverflow: 0,
      onEvent: (event) => events.push(event),
    });
    await Promise.all(Array.from({ length: 10 }, () => pool.query('select 1')));
    await pool.drain();
    const connections = new Map<number, string[]>();
    for (const event of events) {
      if (!('connection' in event)) continue;
      connections.set(event.connection, [...(connections.get(event.connection) ?? []), event.type]);
    }
    expect(connections.size).toBeGreaterThanOrEqual(1);
    for (const types of connections.values()) {
      expect(types.join(' ')).toMatch(/^connect( checkout checkin)* close$/);
    }
    expect(events.filter(({ type }) => type === 'checkout')).toHaveLength(10);
  });

  test('by hooks that throw changes nothing but for a warning', async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.message);
    process.on('warning', onWarning);
    const fail = () => {
      throw new Error('a bad hook');
    };
    {
      await using pool = createPool({
        connectionString: database.url,
        size: 1,
        maxOverflow: 0,
        onEvent: fail,
        tracer: { acquire: fail, connect: fail, query: () => fail },
      });
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    }
    await sleep(1);
    process.off('warning', onWarning);
    expect(warnings.join()).toContain('a bad hook');
  });

  test('to a tracer has a beginning and an end for every wait, connect and statement, and no parameters', async () => {
    const spans: string[] = [];
    const began: unknown[] = [];
    await using pool = createPool({
      connectionString: database.url,
      size: 1,
      maxOverflow: 0,
      tracer: {
        acquire(start) {
          began.push(start);
          return ({ waitedMs, connection }) =>
            spans.push(`acquire ${waitedMs >= 0} ${connection !== undefined}`);
        },
        connect(start) {
          began.push(start);
          return ({ error }) => spans.push(`connect ${error ?? 'done'}`);
        },
        query(start) {
          began.push(start);
          return ({ rowCount, error }) => spans.push(`query ${rowCount ?? (error as { code: string }).code}`);
        },
      },
    });
    await pool.query('select $1::text', ['secret']);
    await expect(pool.query('select 1 / 0')).rejects.toThrow();
    expect(spans).toEqual([
      'connect done',
      'acquire true true',
      'query 1',
      'acquire true true',
      'query 22012',
    ]);
    expect(JSON.stringify(began)).not.toContain('secret');
  });

  test('of a lease that is not given back names where it was taken, once', async () => {
    const leaks: PoolEvent[] = [];
    await using pool = createPool({
      connectionString: database.url,
      size: 2,
      maxOverflow: 0,
      leakAfterMs: 100,
      onEvent: (event) => event.type === 'leak' && leaks.push(event),
    });
    async function forgetful() {
      return await pool.acquire('bulk');
    }
    const lease = await forgetful();
    await pool.query('select 1');
    await vi.waitFor(() => expect(leaks).toHaveLength(1));
    await sleep(250);
    expect(leaks).toEqual([
      expect.objectContaining({ lane: 'bulk', stack: expect.stringContaining('forgetful') }),
    ]);
    expect(pool.status().leaks).toBe(1);
    await lease.release();
  });

  test('of a lease that was waited for names who waited, not who gave it back', async () => {
    const leaks: PoolEvent[] = [];
    await using pool = createPool({
      connectionString: database.url,
      size: 1,
      maxOverflow: 0,
      leakAfterMs: 100,
      onEvent: (event) => event.type === 'leak' && leaks.push(event),
    });
    async function patient() {
      return await pool.acquire('bulk');
    }
    const before = await pool.acquire('bulk');
    const waiting = patient();
    await before.release();
    await using _lease = await waiting;
    await vi.waitFor(() => expect(leaks).toHaveLength(1));
    expect(leaks).toEqual([expect.objectContaining({ stack: expect.stringContaining('patient') })]);
  });

  test('by its figures agrees with the server at any quiet moment', async () => {
    const seed = Date.now() % 100_000;
    await using pool = createPool({
      connectionString: database.url,
      size: 6,
      maxOverflow: 6,
      overflowDelayMs: 1,
      applicationName: 'agreeing',
      lanes: { only: { guaranteed: 0, priority: 1 } },
    });
    await withObserver(database.url, async ({ backends }) => {
      for (let round = 0; round < 8; round += 1) {
        const busy = 1 + ((seed + round * 7) % 12);
        const leases = await Promise.all(Array.from({ length: busy }, () => pool.acquire('only')));
        await Promise.all(leases.slice(round % 3).map((lease) => lease.release()));
        if (round % 2) leases[0]?.destroy('tried out');
        await vi.waitFor(async () => {
          const { checked_in, checked_out, opening, closing } = pool.status();
          expect({ opening, closing }).toEqual({ opening: 0, closing: 0 });
          expect((await backends('agreeing')).length, `seed ${seed}`).toBe(checked_in + checked_out);
        });
        await Promise.all(leases.map((lease) => lease.release()));
      }
    });
  });

  test('has the waits and uses of each lane, and what became of those who got nothing', async () => {
    await using pool = createPool({
      connectionString: database.url,
      size: 1,
      maxOverflow: 0,
      lanes: { only: { guaranteed: 0, priority: 1, maxWaiting: 2 } },
    });
    await pool.session('only', () => sleep(30));
    const held = await pool.acquire('only');
    const outcomes = Promise.allSettled([
      pool.acquire('only', { timeoutMs: 20 }),
      pool.acquire('only', { signal: AbortSignal.timeout(20) }),
      pool.acquire('only'),
    ]);
    await sleep(40);
    await held.release();
    const codes = (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.code);
    expect(codes).toEqual(['acquire_timeout', 'acquire_aborted', 'overloaded']);
    const { only } = pool.status().lanes;
    expect(only).toMatchObject({ acquired: 2, timeouts: 1, aborted: 1, shed: 1, waiting: 0, checked_out: 0 });
    expect(only?.use_ms.max).toBeGreaterThan(25);
    expect(only?.acquire_wait_ms).toMatchObject({ count: 2 });
  });

  test('of a connect error is there until connecting works', async () => {
    const port = await freePort();
    await using broken = createPool({ connectionString: `postgres://nobody@127.0.0.1:${port}/none` });
    await expect(broken.query('select 1')).rejects.toThrow('ECONNREFUSED');
    expect(broken.status()).toMatchObject({ last_connect_error: expect.stringContaining('ECONNREFUSED') });
    await using pool = createPool({ connectionString: database.url });
    await pool.query('select 1');
    expect(pool.status()).toMatchObject({
      last_connect_error: null,
      pooled: false,
      server_version: expect.stringMatching(/^\d+/),
    });
  });
});
