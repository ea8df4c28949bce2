import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices, freePort, startPostgres } from '@sluice/testing';
import { describe, expect, test, vi } from 'vitest';
import { createPool, isTransient, type PoolEvent } from '../src/index.ts';
import { withObserver } from './support/backends.ts';
import { useDatabase } from './support/database.ts';

describeWithServices('postgres', 'a backend that is killed', () => {
  const database = useDatabase();

  test('while it is idle is replaced before anybody gets it', async () => {
    await using pool = createPool({
      connectionString: database.url,
      size: 3,
      maxOverflow: 0,
      applicationName: 'idle-victim',
    });
    const leases = await Promise.all([
      pool.lane('interactive').acquire(),
      pool.lane('bulk').acquire(),
      pool.lane('control').acquire(),
    ]);
    await Promise.all(leases.map((lease) => lease.release()));
    await withObserver(database.url, async ({ backends, terminate }) => {
      const before = (await backends('idle-victim')).map(({ pid }) => pid);
      expect(before).toHaveLength(3);
      await terminate(...before);
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => pool.query<{ pid: number }>('select pg_backend_pid() as pid')),
      );
      for (const { rows } of answers) expect(before).not.toContain(rows[0]?.pid);
    });
    expect(pool.status().invalid).toBeGreaterThanOrEqual(1);
  });

  test('while it is borrowed fails that borrower with a transient error and nobody else', async () => {
    await using pool = createPool({
      connectionString: database.url,
      size: 2,
      maxOverflow: 0,
      applicationName: 'busy-victim',
    });
    const failed = pool
      .lane('bulk')
      .query('select pg_sleep(20)')
      .catch((error: unknown) => error);
    await withObserver(database.url, async ({ backends, terminate }) => {
      const sleeper = await vi.waitUntil(async () =>
        (await backends('busy-victim')).find(({ query, state }) => state === 'active' && /sleep/.test(query)),
      );
      await terminate(sleeper.pid);
    });
    const error = await failed;
    expect(error).toBeInstanceOf(Error);
    expect(isTransient(error)).toBe(true);
    expect(pool.status()).toMatchObject({ checked_out: 0, invalid: 1 });
    expect((await pool.lane('bulk').query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('while it is borrowed and does nothing is noticed when it is given back', async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    const lease = await pool.lane('interactive').acquire();
    const { rows } = await lease.query<{ pid: number }>('select pg_backend_pid() as pid');
    await withObserver(database.url, ({ terminate }) => terminate(rows[0]?.pid as number));
    await sleep(20);
    await lease.release();
    expect(pool.status()).toMatchObject({ checked_in: 0, checked_out: 0, invalid: 1 });
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('does not make a waiter spin while the server refuses further connections', async () => {
    const { url } = database;
    await using admin = createPool({ connectionString: url });
    await admin.query("create role narrow login password 'narrow' connection limit 1");
    const narrow = new URL(url);
    narrow.username = 'narrow';
    narrow.password = 'narrow';
    const failures: PoolEvent[] = [];
    await using pool = createPool({
      connectionString: narrow.href,
      size: 4,
      maxOverflow: 0,
      onEvent: (event) => void (event.type === 'connect_failed' && failures.push(event)),
    });
    const held = await pool.lane('interactive').acquire();
    const waiting = pool.lane('interactive').query('select 1 as one');
    await sleep(600);
    expect(failures.length).toBeGreaterThan(1);
    expect(failures.length).toBeLessThan(10);
    await held.release();
    expect((await waiting).rows).toEqual([{ one: 1 }]);
    await pool.drain();
    await admin.query('drop role narrow');
  });
});

describeWithServices('processes', 'a server of its own', () => {
  test('that restarts is used again without anybody doing anything', async () => {
    await using server = await startPostgres();
    await using pool = createPool({ connectionString: server.url, size: 4, maxOverflow: 2 });
    await Promise.all(Array.from({ length: 4 }, () => pool.query('select pg_sleep(0.01)')));
    const lease = await pool.lane('bulk').acquire();
    await server.restart();
    await expect(lease.query('select 1')).rejects.toSatisfy(isTransient);
    await lease.release();
    const answers = await Promise.all(Array.from({ length: 20 }, () => pool.query('select 1 as one')));
    expect(answers.every(({ rows }) => rows[0]?.one === 1)).toBe(true);
    expect(await pool.testConnection()).toMatchObject({ healthy: true });
  });

  test('that is killed and comes back later gives a fast typed error in between', async () => {
    await using server = await startPostgres();
    await using pool = createPool({ connectionString: server.url, size: 2, maxOverflow: 0 });
    await pool.query('select 1');
    await server.kill();
    const start = performance.now();
    await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'connect_failed', retryable: true });
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(await pool.testConnection()).toMatchObject({
      healthy: false,
      error: expect.stringContaining('cannot connect to the database'),
    });
    await server.start();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('an address where nobody listens', () => {
  test('is reported to every waiter at once, with its cause', async () => {
    const port = await freePort();
    await using pool = createPool({ connectionString: `postgres://nobody@127.0.0.1:${port}/none`, size: 3 });
    const start = performance.now();
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => pool.query('select 1')));
    expect(performance.now() - start).toBeLessThan(3_000);
    for (const result of results) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'connect_failed', cause: expect.objectContaining({ code: 'ECONNREFUSED' }) },
      });
    }
    expect(pool.status()).toMatchObject({ opening: 0, waiting: 0, checked_out: 0 });
  });
});
