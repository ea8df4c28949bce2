import {
  describeWithServices,
  type RunningReplica,
  type RunningService,
  startFaultProxy,
  startPostgres,
  startReplica,
} from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  createMirroredBudget,
  createPool,
  createReadRouter,
  createStaticBudget,
  logPosition,
  type Pool,
  type ReadRouter,
} from '../../src/index.ts';
import { LagClock, parseLogPosition } from '../../src/replicas/log-position.ts';

describe('log positions', () => {
  test('are compared as numbers of 64 bits', () => {
    expect(parseLogPosition('0/FFFFFFFF') < parseLogPosition('1/0')).toBe(true);
    expect(parseLogPosition('16/B374D848')).toBe(0x16b374d848n);
    expect(() => parseLogPosition('latest')).toThrow(RangeError);
  });

  test('make a lag: the age of the oldest part that was not replayed', () => {
    const lags = new LagClock(3);
    lags.sample(1_000, 10n);
    lags.sample(2_000, 10n);
    lags.sample(3_000, 20n);
    expect(lags.lagMs(3_500, 20n)).toBe(0);
    expect(lags.lagMs(3_500, 15n)).toBe(1_500);
    lags.sample(4_000, 30n);
    expect(lags.lagMs(4_500, 25n)).toBe(1_500);
  });

  test('make no lag where it cannot be told: before a sample, and when all that are known are missing', () => {
    const lags = new LagClock(2);
    expect(lags.lagMs(500, 99n)).toBe(Number.POSITIVE_INFINITY);
    lags.sample(1_000, 10n);
    // It may have been behind for days.
    expect(lags.lagMs(1_001, 5n)).toBe(Number.POSITIVE_INFINITY);
    expect(lags.lagMs(1_001, 10n)).toBe(0);
    lags.sample(2_000, 20n);
    lags.sample(3_000, 30n);
    expect(lags.lagMs(3_500, 15n)).toBe(Number.POSITIVE_INFINITY);
    lags.forget();
    expect(lags.lagMs(3_500, 99n)).toBe(Number.POSITIVE_INFINITY);
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

  test('takes a replica whose replay had stopped long before it looked for one that it cannot use', async () => {
    await replica.pauseReplay();
    await write(300);
    await using router = createReadRouter({
      primary,
      replicas: [{ connectionString: replica.url, size: 2, maxOverflow: 0 }],
      checkIntervalMs: 50,
      maxLagMs: 60_000,
    });
    for (let i = 0; i < 3; i += 1) await router.refresh();
    expect(router.status().replicas[0]).toMatchObject({ state: 'up', usable: false, lag_ms: null });
    expect(await isReplica(router)).toBe(false);
    await replica.resumeReplay();
    await vi.waitUntil(() => router.status().replicas[0]?.usable, 10_000);
    expect(await isReplica(router)).toBe(true);
  });

  test('does not read what is old because nobody tells it how old it is', async () => {
    // This role may not ask for the end of the log.
    await primary.query('create role unprivileged login; grant select on written to unprivileged');
    await primary.query('revoke execute on function pg_current_wal_insert_lsn() from public');
    const url = new URL(server.url);
    url.username = 'unprivileged';
    {
      await using blind = createPool({ connectionString: url.href, size: 2, maxOverflow: 0 });
      await using router = createReadRouter({
        primary: blind,
        replicas: [{ connectionString: replica.url, size: 2, maxOverflow: 0 }],
        checkIntervalMs: 50,
      });
      for (let i = 0; i < 3; i += 1) await router.refresh();
      expect(router.status().replicas[0]).toMatchObject({ state: 'up', usable: false, lag_ms: null });
      expect(await isReplica(router)).toBe(false);
    }
    await primary.query('grant execute on function pg_current_wal_insert_lsn() to public');
  });

  test('works with a primary that has other lanes, and hears a signal while it waits for a replica', async () => {
    const lanes = { only: { guaranteed: 0, priority: 1 } };
    await using other = createPool({ connectionString: server.url, size: 2, maxOverflow: 0, lanes });
    await using router = createReadRouter({
      primary: other,
      primaryLane: 'only',
      replicas: [{ connectionString: replica.url, size: 2, maxOverflow: 0 }],
      checkIntervalMs: 50,
      maxLagMs: 60_000,
      waitMs: 30_000,
    });
    await vi.waitUntil(() => router.status().replicas[0]?.usable, 10_000);
    await replica.pauseReplay();
    const after = await write(301);
    const start = performance.now();
    const waiting = router.query('select 1', [], { after, signal: AbortSignal.timeout(100) });
    await expect(waiting).rejects.toMatchObject({ code: 'query_aborted' });
    expect(performance.now() - start).toBeLessThan(5_000);
    await replica.resumeReplay();
  });

  test('opens no more connections to a replica than its share of the budget, and follows it', async () => {
    const fleet = createStaticBudget({ limit: 8, reserve: 0, members: 2 });
    const mirrored = createMirroredBudget(fleet);
    const lanes = { only: { guaranteed: 0, priority: 1 } };
    await using own = createPool({ connectionString: server.url, size: 10, lanes, budget: mirrored.primary });
    const applicationName = 'shares-with-primary';
    await using router = createReadRouter({
      primary: own,
      primaryLane: 'only',
      replicas: [
        {
          connectionString: replica.url,
          size: 10,
          maxOverflow: 0,
          applicationName,
          budget: mirrored.standby(),
        },
      ],
      checkIntervalMs: 50,
    });
    await vi.waitUntil(() => router.status().replicas[0]?.usable, 10_000);
    await Promise.all(Array.from({ length: 40 }, () => router.query('select pg_sleep(0.02)')));
    expect(router.status().replicas[0]?.reads).toBe(40);
    await using observer = createPool({ connectionString: replica.url, size: 1, maxOverflow: 0 });
    const { rows } = await observer.query(
      'select count(*) as n from pg_stat_activity where application_name = $1::text',
      [applicationName],
    );
    expect(rows).toEqual([{ n: 4 }]);
  });

  test('ends although its primary does not answer, and is not ended by a hook that throws', async () => {
    await using proxy = await startFaultProxy({ port: server.port });
    await using lost = createPool({ connectionString: proxy.through(server.url), size: 2, maxOverflow: 0 });
    const told: boolean[] = [];
    const router = createReadRouter({
      primary: lost,
      replicas: [{ connectionString: replica.url, size: 2, maxOverflow: 0 }],
      checkIntervalMs: 50,
      onChange({ usable }) {
        told.push(usable);
        throw new Error('a bad hook');
      },
    });
    await vi.waitUntil(() => router.status().replicas[0]?.usable, 10_000);
    proxy.drop();
    const start = performance.now();
    await router.refresh();
    await router[Symbol.asyncDispose]();
    expect(performance.now() - start).toBeLessThan(8_000);
    expect(told).toEqual([true]);
    await proxy.heal();
  });

  test('is given a replica by any kind of connection string, and no error of it has its password', async () => {
    for (const connectionString of [
      'postgres://u:secretpw@127.0.0.1:1,127.0.0.1:2/db',
      'postgres://u:secretpw@/db?host=/nowhere',
    ]) {
      await using router = createReadRouter({
        primary,
        replicas: [{ connectionString, size: 2, maxOverflow: 0 }],
      });
      await router.refresh();
      expect(router.status().replicas[0]).toMatchObject({ state: 'down', usable: false });
      expect(JSON.stringify(router.status())).not.toContain('secretpw');
    }
    expect(() => createReadRouter({ primary, replicas: [], maxLagMs: Number.NaN })).toThrow(/maxLagMs/);
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
