import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryCache, createTieredCache } from '@sluice/cache';
import { createPool } from '@sluice/pool';
import { createTestDatabase, describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSearch, type Search, type SearchRequest, samplePressure } from '../src/index.ts';
import type { PressureLevel } from '../src/pressure.ts';
import { type Crowd, makeCrowd, vectorNear } from './support/crowd.ts';

describeWithServices('postgres', 'searches under pressure', () => {
  let crowd: Crowd;
  let level: PressureLevel;
  let efforts: (string | undefined)[];
  let search: Search;

  beforeAll(async () => {
    crowd = await makeCrowd(500, 10, (document) => ({ rare: document === 7 }));
  });
  afterAll(() => crowd?.[Symbol.asyncDispose]());
  beforeEach(() => start(60_000, 0));

  function start(ttlMs: number, staleMs: number): void {
    level = 0;
    efforts = [];
    search = createSearch({
      db: {
        query(text, values, options) {
          if (!text.includes('tablesample')) efforts.push(options?.settings?.['hnsw.ef_search']);
          return crowd.db.query(text, values, options);
        },
      },
      embedderFor: () => {
        throw new Error('only vectors here');
      },
      cache: createTieredCache(createMemoryCache({ maxBytes: 10_000_000 })),
      answers: { ttlMs, staleMs, shareWaitMs: 1_000, renewTimeoutMs: 1_000 },
      unmeasuredEffort: 100,
      pressure: () => level,
    });
  }
  const ask = async (change: Partial<SearchRequest> = {}) =>
    search({ collection: await crowd.collection(), query: vectorNear(3, 1), k: 10, ...change });

  test('have half and then a quarter of the effort, and say so', async () => {
    expect(await ask()).toMatchObject({ degraded: [], index: 'hnsw' });
    level = 1;
    expect((await ask({ k: 9 })).degraded).toEqual([
      { code: 'effort_lowered', detail: expect.stringMatching(/hnsw\.ef_search was 50 in place of 100/) },
    ]);
    level = 2;
    const { hits, degraded, explanation } = await ask({ k: 8, explain: true });
    expect([hits.length, degraded[0]?.code, explanation?.effort]).toEqual([8, 'effort_lowered', 25]);
    expect(efforts.slice(0, 3)).toEqual(['100', '50', '25']);
  });

  test('have no less than the hits that are asked for, and give nothing up where that is all', async () => {
    level = 2;
    expect(await ask({ k: 30, offset: 10 })).toMatchObject({ degraded: [{ code: 'effort_lowered' }] });
    expect(await ask({ k: 100 })).toMatchObject({ degraded: [] });
    expect(efforts).toEqual(['40', '100']);
  });

  test('give nothing up where all vectors are compared', async () => {
    level = 2;
    const filter = { op: 'contains', value: { rare: true } } as const;
    expect(await ask({ filter })).toMatchObject({ index: 'filter', degraded: [] });
  });

  test('are given full answers from the cache, and lowered ones for two seconds, told as such', async () => {
    await ask();
    level = 1;
    expect(await ask()).toMatchObject({ cached: 'memory', degraded: [] });
    expect(await ask({ k: 7 })).toMatchObject({ cached: 'none', degraded: [{ code: 'effort_lowered' }] });
    level = 0;
    expect(await ask({ k: 7 })).toMatchObject({ cached: 'memory', degraded: [{ code: 'effort_lowered' }] });
    await sleep(2_050);
    expect(await ask({ k: 7 })).toMatchObject({ cached: 'none', degraded: [] });
    expect(await ask({ k: 7 })).toMatchObject({ cached: 'memory', degraded: [] });
    expect(efforts).toEqual(['100', '50', '100']);
  });

  test('leave full answers past their time as they are, and give no lowered one past its time', async () => {
    start(50, 60_000);
    await ask();
    level = 1;
    await ask({ k: 7 });
    await sleep(80);
    expect(await ask()).toMatchObject({ cached: 'stale', degraded: [] });
    await sleep(30);
    expect(efforts).toEqual(['100', '50']);
    level = 0;
    expect(await ask({ k: 7 })).toMatchObject({ cached: 'none', degraded: [] });
    expect(await ask()).toMatchObject({ cached: 'stale' });
    await expect.poll(async () => (await ask()).cached).toBe('memory');
  });
});

describeWithServices('postgres', 'the line in front of a lane', () => {
  test('steps searches down before anybody is sent away, and back up when it is gone', async () => {
    await using database = await createTestDatabase();
    await using pool = createPool({ connectionString: database.url, size: 2, maxOverflow: 0 });
    const lane = () => pool.status().lanes.interactive;
    const level = samplePressure(() => lane()?.oldest_wait_ms ?? 0, {
      lateMs: 100,
      stepDownMs: 250,
      stepUpMs: 500,
    });
    const ended: Promise<unknown>[] = [];
    let highest = 0;
    const start = performance.now();
    while (!lane()?.shed && performance.now() - start < 10_000) {
      ended.push(pool.query('select pg_sleep(0.05)').catch((error) => error.code));
      highest = Math.max(highest, level());
      await sleep(5);
    }
    expect(lane()?.shed).toBeGreaterThan(0);
    expect(highest).toBeGreaterThan(0);
    await Promise.all(ended);
    await expect.poll(level, { timeout: 5_000 }).toBe(0);
  });
});
