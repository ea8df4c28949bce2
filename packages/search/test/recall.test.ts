import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Collection,
  createCatalog,
  decodeVector,
  findMeasurement,
  listUnmeasured,
  type RecallMeasurement,
} from '@sluice/store';
import { createRandom, describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { effortOf, maxEffort } from '../src/effort.ts';
import { createChunkFinder } from '../src/find-chunks.ts';
import { chooseEffort } from '../src/recall/choose-effort.ts';
import { recallOf } from '../src/recall/interval.ts';
import { measuredEfforts, measureRecall } from '../src/recall/measure-recall.ts';
import { startRecallSampler } from '../src/recall/recall-sampler.ts';
import { type Crowd, goLive, makeCrowd, scatter, vectorNear } from './support/crowd.ts';

const [documents, chunksEach] = [1_500, 4];
const asked = { target: 0.99, unmeasured: 100, sample: 60, budgetMs: 60_000 };

describe('the interval of a measured recall', () => {
  test('covers the true recall of most samples, also where the neighbours of a query are missed together', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = createRandom(seed);
    let covered = 0;
    for (let run = 0; run < 400; run += 1) {
      // One query in twenty finds half of its neighbours, and the others all but one in a hundred.
      const shares = Array.from({ length: 200 }, () => {
        const chance = random.chance(0.05) ? 0.5 : 0.99;
        return Array.from({ length: 10 }, () => Number(random.chance(chance))).reduce((a, b) => a + b) / 10;
      });
      const { low, high } = recallOf(shares, 10);
      if (low <= 0.9655 && 0.9655 <= high) covered += 1;
    }
    expect(covered / 400, `seed ${seed}`).toBeGreaterThan(0.9);
  });

  test('ends at one and has a low end below it when all was found', () => {
    expect(recallOf(Array(200).fill(1), 10)).toMatchObject({ recall: 1, high: 1 });
    expect(recallOf(Array(200).fill(1), 10).low).toBeCloseTo(0.998, 3);
    expect(recallOf([1], 10).low).toBeLessThan(0.8);
  });
});

describe('the effort', () => {
  const at = (effort: number, recall: number, low: number) => ({ effort, recall, low, high: 1 });

  test('is the least one whose recall surely holds the target', () => {
    const curve = [at(20, 0.995, 0.98), at(40, 0.998, 0.992), at(80, 1, 0.996)];
    expect(chooseEffort(curve, 0.99, 100).effort).toBe(40);
  });

  test('is no less than without a measurement where the sample is too small to be sure', () => {
    const curve = [at(20, 1, 0.9), at(120, 1, 0.9), at(400, 1, 0.9)];
    expect(chooseEffort(curve, 0.99, 100).effort).toBe(120);
  });

  test('is the greatest one where none holds the target', () => {
    expect(chooseEffort([at(20, 0.5, 0.4), at(400, 0.9, 0.85)], 0.99, 100).effort).toBe(400);
  });

  test('of a search is what was measured, never less than its hits, and that of the first page', () => {
    const calm = { unmeasured: 100, level: 0 } as const;
    expect(effortOf({ effort: null }, { k: 10 }, calm)).toEqual({ effort: 100, usual: 100 });
    expect(effortOf({ effort: 40 }, { k: 10 }, calm)).toEqual({ effort: 40, usual: 40 });
    expect(effortOf({ effort: 40 }, { k: 200, offset: 50 }, calm).effort).toBe(250);
    expect(effortOf({ effort: 40 }, { k: 200, offset: 4_000 }, calm).effort).toBe(maxEffort);
    const goOn = { index: 'hnsw', effort: 60 } as const;
    for (const level of [0, 2] as const)
      expect(effortOf({ effort: 40 }, { k: 10, offset: 500, goOn }, { ...calm, level }).effort).toBe(60);
  });

  test.each([
    [100, 0, 10, 100],
    [100, 1, 10, 50],
    [100, 2, 10, 25],
    [75, 1, 10, 38],
    [60, 2, 10, 20],
    [100, 2, 40, 40],
    [100, 2, 300, 300],
    [10, 2, 10, 10],
  ] as const)('of %i is, at level %i of pressure and for %i hits, %i', (effort, level, k, lowered) => {
    expect(effortOf({ effort }, { k }, { unmeasured: 100, level }).effort).toBe(lowered);
  });
});

describeWithServices('postgres', 'measured recall', () => {
  let clustered: Crowd;
  let scattered: Crowd;
  beforeAll(async () => {
    clustered = await makeCrowd(documents, chunksEach, () => ({}));
    scattered = await makeCrowd(documents, chunksEach, () => ({}));
    await scatter(scattered);
    for (const crowd of [clustered, scattered]) await goLive(crowd, chunksEach);
  });
  afterAll(async () => {
    await clustered?.[Symbol.asyncDispose]();
    await scattered?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    for (const { pool } of [clustered, scattered]) await pool.query('delete from sluice.recall_measurements');
    for (const { pool } of [clustered, scattered]) await pool.query('delete from sluice.leases');
  });

  test('is what brute force in memory says, query by query and effort by effort', async () => {
    const { pool, collection } = scattered;
    const { id } = await collection();
    const { rows } = await pool.query<{ e: string }>(`select embedding::text as e from sluice.chunks_${id}`);
    const stored = rows.map(({ e }) => Float32Array.from(JSON.parse(e) as number[]));
    const similarity = (a: Float32Array, b: Float32Array) => {
      let [dot, aa, bb] = [0, 0, 0];
      a.forEach((x, i) => {
        const y = b[i] as number;
        dot += x * y;
        aa += x * x;
        bb += y * y;
      });
      return dot / Math.sqrt(aa * bb);
    };
    const shares = new Map<string, number[]>();
    const furthest = new Map<string, number>();
    const db = {
      async query(text: string, values: readonly unknown[] = [], options = {}) {
        const answer = await pool.query<{ distance: number }>(text, values, options);
        if (!text.startsWith('select distance')) return answer;
        const buffer = values[0] as Buffer;
        const key = buffer.toString('base64');
        if (!furthest.has(key)) {
          const vector = decodeVector(buffer);
          const all = stored.map((each) => 1 - similarity(vector, each)).sort((a, b) => a - b);
          furthest.set(key, all[9] as number);
        }
        const effort =
          (options as { settings: Record<string, string> }).settings['hnsw.ef_search'] ?? 'exact';
        const limit = (furthest.get(key) as number) + 1e-6;
        const found = answer.rows.filter(({ distance }) => distance <= limit).length / 10;
        shares.set(effort, [...(shares.get(effort) ?? []), found]);
        return answer;
      },
    };
    const measured = await measureRecall(db as typeof pool, await collection(), { ...asked, sample: 25 });
    expect(shares.get('exact')).toEqual(Array(25).fill(1));
    for (const { effort, recall } of measured?.curve ?? []) {
      const each = shares.get(String(effort)) as number[];
      expect(recall, `effort ${effort}`).toBeCloseTo(each.reduce((a, b) => a + b) / 25, 9);
    }
    expect(measured).toMatchObject({ sampleSize: 25, chunks: documents * chunksEach });
  });

  test('leads to a higher effort where the neighbours are hard to find', async () => {
    const many = { ...asked, sample: 120 };
    const easy = await measureRecall(clustered.pool, await clustered.collection(), many);
    const hard = await measureRecall(scattered.pool, await scattered.collection(), many);
    expect(hard?.curve[0]).toMatchObject({ effort: 20 });
    expect(hard?.curve[0]?.recall).toBeLessThan(asked.target);
    expect(easy?.curve[0]?.recall).toBeGreaterThan(hard?.curve[0]?.recall as number);
    expect(hard?.effort).toBeGreaterThan(20);
    expect(hard?.recall).toBeGreaterThanOrEqual(asked.target);
    expect(hard?.curve.map(({ effort }) => effort)).toEqual([...measuredEfforts]);
    for (const { recall, low, high } of hard?.curve ?? []) {
      expect(low).toBeLessThanOrEqual(recall);
      expect(high).toBeGreaterThanOrEqual(recall);
    }
  });

  test('of a budget that ends early is that of the queries asked so far', async () => {
    const collection = await scattered.collection();
    const measured = await measureRecall(scattered.pool, collection, {
      ...asked,
      sample: 5_000,
      budgetMs: 700,
    });
    expect(measured?.sampleSize).toBeGreaterThan(0);
    expect(measured?.sampleSize).toBeLessThan(2_000);
    expect(await measureRecall(scattered.pool, collection, { ...asked, budgetMs: 1 })).toBeUndefined();
  });

  test('stops when it is aborted', async () => {
    const closing = new AbortController();
    const measuring = measureRecall(scattered.pool, await scattered.collection(), {
      ...asked,
      sample: 5_000,
      share: 0.1,
      signal: closing.signal,
    });
    setTimeout(() => closing.abort(), 100);
    await expect(measuring).rejects.toThrow();
  });

  const start = (crowd: Crowd, measured: RecallMeasurement[]) => {
    const catalog = createCatalog(crowd.pool, { changes: 'listen' });
    const sampler = startRecallSampler({
      ...asked,
      pool: crowd.pool,
      catalog,
      intervalMs: 40,
      sample: 12,
      share: 1,
      budgetMs: 2_000,
      olderThanMs: 0,
      onMeasured: (_collection, measurement) => measured.push(measurement),
      onError(error) {
        throw error;
      },
    });
    return {
      catalog,
      async [Symbol.asyncDispose]() {
        await sampler[Symbol.asyncDispose]();
        await catalog[Symbol.asyncDispose]();
      },
    };
  };
  async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let i = 0; i < 400 && !(await holds()); i += 1) await sleep(25);
    expect(await holds()).toBe(true);
  }

  test('is taken by one of several processes, becomes the effort of searches, and is taken again after a change', async () => {
    const measured: RecallMeasurement[] = [];
    await using first = start(scattered, measured);
    await using _second = start(scattered, measured);
    await using _third = start(scattered, measured);
    await until(() => measured.length > 0);
    await sleep(400);
    expect(measured).toHaveLength(1);
    const { effort } = measured[0] as RecallMeasurement;
    const { id, name } = await scattered.collection();
    expect(await findMeasurement(scattered.pool, id)).toMatchObject({
      ...measured[0],
      measuredAt: expect.any(Date),
    });
    await until(async () => (await first.catalog.byName(name))?.effort === effort);
    const collection = (await first.catalog.byName(name)) as Collection;
    expect(effortOf(collection, { k: 10 }, { unmeasured: 100, level: 0 }).effort).toBe(effort);
    await scattered.pool.query('update sluice.collections set generation = generation + 1');
    await until(() => measured.length > 1);
    expect(measured[1]?.generation).toBe((measured[0]?.generation as number) + 1);
  });

  test('is out of date only after enough has changed', async () => {
    const { pool, collection } = clustered;
    const staleness = { olderThanMs: 3_600_000, changedBy: 0.25 };
    const { id } = await collection();
    expect(await listUnmeasured(pool, staleness)).toEqual([id]);
    {
      const measured: RecallMeasurement[] = [];
      await using _sampler = start(clustered, measured);
      await until(() => measured.length > 0);
    }
    expect(await listUnmeasured(pool, staleness)).toEqual([]);
    await pool.query('update sluice.collections set generation = generation + 1');
    expect(await listUnmeasured(pool, staleness)).toEqual([]);
    await pool.query("update sluice.recall_measurements set measured_at = now() - interval '2 hours'");
    expect(await listUnmeasured(pool, staleness)).toEqual([id]);
    await pool.query('update sluice.recall_measurements set measured_at = now(), chunks = chunks * 2');
    expect(await listUnmeasured(pool, staleness)).toEqual([id]);
  });

  test.each([1, 10, 100, 200])('searches give %i hits however little effort there is', async (k) => {
    const collection = { ...(await clustered.collection()), effort: 1 };
    const find = createChunkFinder(clustered.db);
    const vector = vectorNear(3, 4);
    const settings = { 'hnsw.iterative_scan': 'off' };
    const bare = createChunkFinder({
      query: (text, values, options) =>
        clustered.pool.query(text, values, { ...options, settings: { ...settings, ...options?.settings } }),
    });
    const { effort } = effortOf(collection, { k, offset: 130 }, { unmeasured: 1, level: 0 });
    expect((await bare(collection, { vector, k, offset: 130, effort })).hits).toHaveLength(k);
    expect(
      (await find(collection, { vector, k, offset: 130, effort: 20, goOn: { index: 'hnsw', effort: 20 } }))
        .hits,
    ).toHaveLength(k);
  });
});
