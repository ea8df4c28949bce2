import {
  describeWithServices,
  type RunningReplica,
  type RunningService,
  startPostgres,
  startReplica,
} from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPool, createReadRouter, logPosition, type Pool, type ReadRouter } from '../../src/index.ts';
import { LagClock, parseLogPosition } from '../../src/replicas/log-position.ts';

describe('log positions', () => {
  test('are compared as numbers of 64 bits', () => {
    expect(parseLogPosition('0/FFFFFFFF') < parseLogPosition('1/0')).toBe(true);
    expect(parseLogPosition('16/B374D848')).toBe(0x16b374d848n);
    expect(() => parseLogPosition('latest')).toThrow(RangeError);
  });

  test('make a lag: the age of the oldest part that was not replayed', () => {
    const lags = new LagClock(3);
    expect(lags.lagMs(500, 0n)).toBe(0);
    lags.sample(1_000, 10n);
    lags.sample(2_000, 10n);
    lags.sample(3_000, 20n);
    expect(lags.lagMs(3_500, 20n)).toBe(0);
    expect(lags.lagMs(3_500, 15n)).toBe(1_500);
    expect(lags.lagMs(3_500, 5n)).toBe(2_500);
    lags.sample(4_000, 30n);
    // The first sample is forgotten: it is at least as old as the oldest that is known.
    expect(lags.lagMs(4_500, 5n)).toBe(2_500);
  });
});

describeWithServices('processes', 'a read router', () => {
  let server: RunningService;
  let replica: RunningReplica;
  let primary: Pool;
  beforeAll(async () => {
    server = await startPostgres();
    replica = await startReplica(server);
    primary = createPool({ connectionString: server.url, size: 4, maxOverflow: 0 });
    await primary.query('create table written (n int)');
  });
  afterAll(async () => {
    await primary.drain();
    await replica[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  async function withRouter(use: (router: ReadRouter) => Promise<void>, waitMs = 2_000): Promise<void> {
    await using router = createReadRouter({
      primary,
      replicas: [{ connectionString: replica.url, size: 3, maxOverflow: 0, connectTimeoutMs: 2_000 }],
      checkIntervalMs: 50,
      maxLagMs: 2_000,
      waitMs,
    });
    await vi.waitUntil(() => router.status().replicas[0]?.usable, 10_000);
    await use(router);
  }
  const isReplica = async (router: ReadRouter, after?: string) => {
    const { rows } = await router.query<{ standby: boolean }>('select pg_is_in_recovery() as standby', [], {
      after,
    });
    return rows[0]?.standby;
  };
  const write = async (n: number) => {
    await primary.query('insert into written values ($1::int)', [n]);
    return await logPosition(primary);
  };
  const sees = async (router: ReadRouter, n: number, after: string) => {
    const { rows } = await router.query('select n from written where n = $1::int', [n], { after });
    return rows.length === 1;
  };

  test('reads from a replica that is up and fresh, and from the primary when asked to', async () => {
    await withRouter(async (router) => {
      expect(await isReplica(router)).toBe(true);
      expect(await isReplica(router, 'primary')).toBe(false);
      expect(router.status()).toMatchObject({
        replicas: [{ state: 'up', usable: true, reads: 1, error: null }],
        primary_reads: { asked: 1 },
      });
    });
  });

  test('always shows what was written before, wherever it reads', async () => {
    await withRouter(async (router) => {
      for (let n = 100; n < 200; n += 1) expect(await sees(router, n, await write(n))).toBe(true);
      expect(router.status().replicas[0]?.reads).toBeGreaterThan(0);
    });
  });

  test('goes to the primary for what a replica has not reached in time, and for all when it lags too much', async () => {
    await withRouter(async (router) => {
      await replica.pauseReplay();
      expect(await sees(router, 1, await write(1))).toBe(true);
      expect(router.status().primary_reads.not_there_yet).toBe(1);
      expect(await isReplica(router)).toBe(true);
      await vi.waitUntil(() => router.status().replicas[0]?.usable === false, 10_000);
      expect(router.status().replicas[0]?.lag_ms).toBeGreaterThan(2_000);
      expect(await isReplica(router)).toBe(false);
      await replica.resumeReplay();
      await vi.waitUntil(() => router.status().replicas[0]?.usable, 10_000);
      expect(await isReplica(router)).toBe(true);
    }, 30);
  });

  test('loses no read when a replica is killed, and comes back to it', async () => {
    await withRouter(async (router) => {
      let running = true;
      const outcomes: unknown[] = [];
      const readers = Array.from({ length: 4 }, async () => {
        while (running) outcomes.push(await isReplica(router).catch((error: unknown) => error));
      });
      await vi.waitUntil(() => outcomes.length > 50);
      await replica.kill();
      await vi.waitUntil(() => router.status().replicas[0]?.usable === false, 10_000);
      await vi.waitUntil(() => outcomes.includes(false));
      await replica.start();
      await vi.waitUntil(() => router.status().replicas[0]?.usable, 20_000);
      const before = outcomes.length;
      await vi.waitUntil(() => outcomes.slice(before).includes(true), 10_000);
      running = false;
      await Promise.all(readers);
      expect(outcomes.filter((outcome) => typeof outcome !== 'boolean')).toEqual([]);
    });
  });

  test('passes on the errors of a statement, without asking the primary too', async () => {
    await withRouter(async (router) => {
      await expect(router.query('select 1 / 0')).rejects.toMatchObject({ code: '22012' });
      await expect(router.query('insert into written values (1)')).rejects.toMatchObject({ code: '25006' });
      const { primary_reads } = router.status();
      expect(Object.values(primary_reads).reduce((sum, count) => sum + count, 0)).toBe(0);
    });
  });

  test('goes on reading from a replica while the primary is away, and leaves a promoted one alone', async () => {
    await withRouter(async (router) => {
      const before = await write(500);
      await vi.waitUntil(() => sees(router, 500, before));
      await server.kill();
      await primary.query('select 1').catch(() => {});
      expect(await isReplica(router)).toBe(true);
      await replica.promote();
      await vi.waitUntil(() => router.status().replicas[0]?.state === 'promoted', 10_000);
      expect(router.status().replicas[0]?.usable).toBe(false);
      await server.start();
      await vi.waitUntil(async () => (await isReplica(router).catch(() => true)) === false, 10_000);
    });
  });
});
