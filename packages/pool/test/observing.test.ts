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

  test('of an idle connection that dies is that it was found broken, and then that it is closed', async () => {
    const events: PoolEvent[] = [];
    await using pool = createPool({
      connectionString: database.url,
      size: 1,
      maxOverflow: 0,
      applicationName: 'dies-idle',
      onEvent: (event) => events.push(event),
    });
    await pool.query('select 1');
    await withObserver(database.url, async ({ backends, terminate }) => {
      await terminate(...(await backends('dies-idle')).map(({ pid }) => pid));
    });
    await vi.waitFor(() => expect(events.at(-1)?.type).toBe('close'));
    expect(events.slice(-2)).toEqual([
      { type: 'invalidate', connection: expect.any(Number), reason: 'connection lost' },
      { type: 'close', connection: expect.any(Number), reason: 'connection lost' },
    ]);
    expect(pool.status().invalid).toBe(1);
  });

  test('of one that breaks while it is lent is the same, before its lease ends', async () => {
    const events: PoolEvent[] = [];
    await using pool = createPool({
      connectionString: database.url,
      size: 1,
      maxOverflow: 0,
      onEvent: (event) => events.push(event),
    });
    const lease = await pool.acquire('bulk');
    lease.destroy('in doubt');
    await vi.waitFor(() => expect(events.at(-1)?.type).toBe('close'));
    expect(events.map(({ type }) => type)).toEqual(['connect', 'checkout', 'checkin', 'invalidate', 'close']);
    expect(events.at(-2)).toMatchObject({ reason: 'in doubt' });
  });

  test('those who are sent away is when to come back, and the lane shows as overloaded', async () => {
    const sheds: (PoolEvent & { overloaded?: boolean | undefined })[] = [];
    await using pool = createPool({
      connectionString: database.url,
      size: 1,
      maxOverflow: 0,
      lanes: { only: { guaranteed: 0, priority: 1, shedding: { targetMs: 20, intervalMs: 60 } } },
      onEvent(event) {
        if (event.type === 'shed') sheds.push({ ...event, overloaded: pool.status().lanes.only?.overloaded });
      },
    });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, () => pool.query('select pg_sleep(0.01)')),
    );
    const away = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(away.length).toBeGreaterThan(0);
    for (const error of away) {
      expect(error).toMatchObject({ code: 'overloaded', retryable: true });
      expect(error.retryAfterMs).toBeGreaterThanOrEqual(20);
    }
    expect(sheds).toHaveLength(away.length);
    expect(sheds[0]).toMatchObject({
      lane: 'only',
      waitedMs: expect.any(Number),
      retryAfterMs: expect.any(Number),
      overloaded: true,
    });
    expect(pool.status()).toMatchObject({ shed: away.length, lanes: { only: { shed: away.length } } });
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

  test('by hooks that reject changes nothing but for a warning either', async () => {
    const stray: unknown[] = [];
    const note = (error: unknown) => stray.push(error);
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.message);
    process.on('unhandledRejection', note).on('warning', onWarning);
    {
      await using pool = createPool({
        connectionString: database.url,
        size: 1,
        maxOverflow: 0,
        onEvent: async () => Promise.reject(new Error('a bad async hook')),
      });
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    }
    await sleep(10);
    process.off('unhandledRejection', note).off('warning', onWarning);
    expect([stray, warnings.join().includes('a bad async hook')]).toEqual([[], true]);
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

  test('to a tracer has COPY as well, and the lane of who borrowed', async () => {
    const told: unknown[] = [];
    await using pool = createPool({
      connectionString: database.url,
      size: 4,
      maxOverflow: 0,
      tracer: {
        query:
          ({ text, lane }) =>
          ({ rowCount, error }) =>
            told.push([lane, text.split(' ')[0], rowCount ?? (error as { code: string }).code]),
      },
    });
    await pool.lane('bulk').session(async (lease) => {
      await lease.query('create temporary table copied (n int not null)');
      const target = { table: 'copied', columns: [{ name: 'n', type: 'int' }] };
      const row = [Buffer.from([0, 0, 0, 7])];
      expect(await lease.copyFrom(target, [row, row, row])).toBe(3);
      await expect(lease.copyFrom(target, [[null]])).rejects.toThrow();
    });
    expect(told).toEqual([
      ['bulk', 'create', 0],
      ['bulk', 'copy', 3],
      ['bulk', 'copy', '23502'],
    ]);
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
    for (const { p50, p95, p99, max } of [only!.use_ms, only!.acquire_wait_ms]) {
      expect(p50).toBeLessThanOrEqual(p95);
      expect(p95).toBeLessThanOrEqual(p99);
      // Two significant digits.
      expect(p99).toBeLessThanOrEqual(max * 1.02);
    }
    expect(pool.status()).toMatchObject({ timeouts: 1, shed: 1 });
    expect(only?.acquire_wait_ms).toMatchObject({ count: 2 });
  });

  test('tells how long the first in line has waited', async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    const held = await pool.acquire('interactive');
    const waited = () => pool.status().lanes.interactive?.oldest_wait_ms;
    expect(waited()).toBe(0);
    const next = pool.acquire('interactive');
    await sleep(40);
    expect(waited()).toBeGreaterThan(35);
    await held.release();
    await (await next).release();
    expect(waited()).toBe(0);
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
