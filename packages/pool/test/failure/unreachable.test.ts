import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices, freePort } from '@sluice/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { createPool, type PoolError } from '../../src/index.ts';
import { expectAgreement } from './support/agreement.ts';
import { errorOf, eventually, until } from './support/eventually.ts';
import { useServer } from './support/own-server.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';

expectNoStrayErrors();

describe('an address where nobody listens', () => {
  const nowhere = async () => `postgres://nobody@127.0.0.1:${await freePort()}/none`;

  test('is reported to each of many borrowers at once, with its cause and when to come back', async () => {
    await using pool = createPool({ connectionString: await nowhere(), size: 4, maxOverflow: 2 });
    const start = performance.now();
    const lanes = ['interactive', 'bulk', 'control'];
    const errors = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        errorOf<PoolError>(pool.lane(lanes[i % 3] as string).query('select 1')),
      ),
    );
    expect(performance.now() - start).toBeLessThan(4_000);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'connect_failed', retryable: true });
      expect(error.message).toMatch(/cannot connect to the database: .*ECONNREFUSED/);
      expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
      expect(error.retryAfterMs).toBeGreaterThanOrEqual(0);
      expect(error.retryAfterMs).toBeLessThanOrEqual(1_000);
    }
    expect(pool.status()).toMatchObject({ opening: 0, waiting: 0, checked_out: 0, checked_in: 0 });
  });

  test('is tried seldom, however many ask: after each failure the pool waits at least half as long again', async () => {
    const failedAt: number[] = [];
    await using pool = createPool({
      connectionString: await nowhere(),
      maxOpening: 1,
      onEvent: (event) => event.type === 'connect_failed' && failedAt.push(performance.now()),
    });
    const end = performance.now() + 1_500;
    const impatient = async () => {
      while (performance.now() < end) {
        await errorOf(pool.query('select 1'));
        await sleep(5);
      }
    };
    await Promise.all(Array.from({ length: 20 }, impatient));
    // 25 + 50 + 100 + 200 + 400 + 500 + 500 ms at least.
    expect(failedAt.length).toBeGreaterThanOrEqual(3);
    expect(failedAt.length).toBeLessThanOrEqual(9);
    failedAt.slice(1).forEach((at, i) => {
      const least = 0.5 * Math.min(1_000, 50 * 2 ** i);
      expect(at - (failedAt[i] as number)).toBeGreaterThan(least - 2);
    });
    expect(pool.status().connect_failures).toBe(failedAt.length);
  });

  test('is not tried by all pools at the same moment: the waits are jittered', async () => {
    const waits = new Set<number | undefined>();
    for (let i = 0; i < 12; i += 1) {
      await using pool = createPool({ connectionString: await nowhere() });
      const { retryAfterMs } = await errorOf<PoolError>(pool.query('select 1'));
      waits.add(retryAfterMs);
      expect(retryAfterMs).toBeLessThanOrEqual(50);
    }
    expect(waits.size).toBeGreaterThan(1);
  });

  test('delays neither testConnection nor drain, and is named by both figures and errors', async () => {
    await using pool = createPool({ connectionString: await nowhere(), minIdle: 2 });
    const start = performance.now();
    expect(await pool.testConnection()).toMatchObject({
      healthy: false,
      error: expect.stringContaining('ECONNREFUSED'),
    });
    expect(pool.status().last_connect_error).toContain('ECONNREFUSED');
    await expect(pool.ready()).rejects.toMatchObject({ code: 'connect_failed' });
    await pool.drain();
    expect(performance.now() - start).toBeLessThan(4_000);
  });
});

describeWithServices('processes', 'a server that is down for a while', () => {
  const server = useServer();
  // Whatever a test did.
  afterEach(() => server().start());

  test('gives fast errors in between, and is used again soon after it is back', async () => {
    const applicationName = 'down-and-up';
    await using pool = createPool({
      connectionString: server().url,
      size: 4,
      maxOverflow: 2,
      applicationName,
    });
    await Promise.all(Array.from({ length: 8 }, () => pool.query('select pg_sleep(0.02)')));
    await server().kill();
    await until(() => pool.status().checked_in === 0);
    let attempts = pool.status().connect_failures;
    const downSince = performance.now();
    let asked = 0;
    while (performance.now() - downSince < 700) {
      const start = performance.now();
      const errors = await Promise.all(
        Array.from({ length: 50 }, () => errorOf<PoolError>(pool.query('select 1'))),
      );
      expect(performance.now() - start).toBeLessThan(4_000);
      asked += errors.length;
      for (const { code } of errors) expect(code).toBe('connect_failed');
      await sleep(10);
    }
    attempts = pool.status().connect_failures - attempts;
    // A burst of openings, and then one attempt at a time with doubled waits, however many ask.
    expect(asked).toBeGreaterThanOrEqual(50);
    expect(attempts).toBeLessThan(20);
    await server().start();
    const upSince = performance.now();
    await eventually(() => pool.query('select 1'));
    expect(performance.now() - upSince).toBeLessThan(5_000);
    const answers = await Promise.all(Array.from({ length: 50 }, () => pool.query('select 1 as one')));
    for (const { rows } of answers) expect(rows).toEqual([{ one: 1 }]);
    expect(await pool.testConnection()).toMatchObject({ healthy: true });
    expect(pool.status().last_connect_error).toBeNull();
    await expectAgreement(pool, server().url, applicationName);
  });

  test('is found again by a pool that only keeps its idle connections, with nobody asking', async () => {
    const applicationName = 'keeps-idle';
    await using pool = createPool({ connectionString: server().url, size: 4, minIdle: 3, applicationName });
    await eventually(() => expect(pool.status().checked_in).toBe(3));
    await server().restart();
    await eventually(() => expect(pool.status().checked_in).toBe(3));
    await expectAgreement(pool, server().url, applicationName);
  });

  test('fails newcomers fast although somebody still holds a dead connection', async () => {
    const applicationName = 'holds-dead';
    await using pool = createPool({
      connectionString: server().url,
      size: 2,
      maxOverflow: 0,
      applicationName,
      failFastMs: 300,
      lanes: { only: { guaranteed: 0, priority: 1, acquireTimeoutMs: 4_000 } },
    });
    const held = await pool.acquire('only');
    await server().kill();
    await until(() => pool.status().checked_out === 0);
    const errors = await Promise.all(Array.from({ length: 10 }, () => errorOf(pool.query('select 1'))));
    await held.release();
    await server().start();
    await eventually(() => pool.query('select 1'));
    await expectAgreement(pool, server().url, applicationName);
    for (const error of errors) expect(error.code).toBe('connect_failed');
  });
});
