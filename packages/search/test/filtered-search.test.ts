import type { Filter } from '@sluice/contract';
import { buildMetadataIndex, type Collection, declareMetadataIndexes, searchChunks } from '@sluice/store';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createChunkFinder } from '../src/find-chunks.ts';
import { type Crowd, makeCrowd, vectorNear } from './support/crowd.ts';

const documents = 20_000;
const below = (value: number): Filter => ({ op: 'lt', path: ['n'], operand: { type: 'number', value } });
// The values of n are spread over the table.
const metadataOf = (i: number) => {
  return {
    n: (i * 7_919) % documents,
    court: { level: i % 3 ? 'low' : 'high' },
    day: new Date(i * 864e5).toISOString(),
  };
};

function filteredSearch(declared: boolean): void {
  let crowd: Crowd;
  beforeAll(async () => {
    crowd = await makeCrowd(documents, 1, metadataOf, {
      metadataIndexes: declared
        ? [
            { field: 'n', type: 'number' },
            { field: 'court.level', type: 'text' },
            { field: 'day', type: 'datetime' },
          ]
        : [],
    });
  }, 120_000);
  afterAll(() => crowd?.[Symbol.asyncDispose]());

  /**
   * A graph is built with chance in it, and one in a dozen does not lead to some vectors, with a filter or without. It is built anew then, as workers
   * do with one that finds too few: what is looked at here is what filters do.
   */
  async function untilAllIsReached(
    collection: Collection,
    k: number,
    vectors: readonly Float32Array[],
  ): Promise<void> {
    const find = createChunkFinder(crowd.db);
    async function isReached(vector: Float32Array): Promise<boolean> {
      const question = { effort: 100, vector, limit: k, access: 'scan' as const };
      const exact = await searchChunks(crowd.pool, collection, question);
      const { hits } = await find(collection, { vector, k, effort: 100 });
      const ids = new Set(hits.map(({ id }) => id));
      return exact.every(({ id }) => ids.has(id));
    }
    for (let builds = 1; builds <= 12; builds += 1) {
      const reached = await Promise.all(vectors.map(isReached));
      if (reached.every(Boolean)) return;
      await crowd.pool.query(`reindex index sluice.chunks_${collection.id}_hnsw`);
    }
    throw new Error('twelve graphs, and none leads to all vectors');
  }

  test('twenty filters of falling selectivity find what an exact search finds', async () => {
    const collection = await crowd.collection();
    const find = createChunkFinder(crowd.db);
    // Those whose filters are wide enough for the vector index; the tenth behind the narrowest of them is the 28th of all.
    await untilAllIsReached(
      collection,
      30,
      [0, 1, 2].map((i) => vectorNear(i, 1_000_000 + i)),
    );
    const used: string[] = [];
    let found = 0;
    let expected = 0;
    for (let i = 0; i < 20; i += 1) {
      const filter = below(documents * 0.6 ** i);
      const vector = vectorNear(i, 1_000_000 + i);
      const question = { effort: 100, vector, limit: 10, filter, access: 'scan' as const };
      const exact = (await searchChunks(crowd.pool, collection, question)).map(({ id }) => id);
      const { hits, index } = await find(collection, { vector, k: 10, effort: 100, filter });
      used.push(index);
      expect(hits).toHaveLength(exact.length);
      expected += exact.length;
      found += hits.filter(({ id }) => exact.includes(id)).length;
      if (index === 'filter') expect(hits.map(({ id }) => id)).toEqual(exact);
    }
    expect(found / expected).toBeGreaterThanOrEqual(0.99);
    // The estimates are about right: the widest filters by the vector index, the narrow ones without.
    expect(used.slice(0, 2)).toEqual(Array(2).fill('hnsw'));
    expect(used.slice(-16)).toEqual(Array(16).fill('filter'));
  });

  test('the plan of a selective filter leaves the vector index alone, that of a wide one takes it', async () => {
    const collection = await crowd.collection();
    const find = createChunkFinder(crowd.db);
    const planOf = async (filter: Filter) => {
      crowd.sent.length = 0;
      await find(collection, { vector: vectorNear(1, 5), k: 10, effort: 100, filter });
      expect(crowd.sent).toHaveLength(2);
      return crowd.planOf(crowd.sent[1] as (typeof crowd.sent)[0]);
    };
    const own = new RegExp(`chunks_${collection.id}_by_number_[0-9a-f]+`);
    const narrow = await planOf(below(40));
    expect(narrow).not.toContain('_hnsw');
    if (declared) expect(narrow).toMatch(own);
    expect(await planOf(below(12_000))).toContain(`chunks_${collection.id}_hnsw`);
    const contained = await planOf({ op: 'contains', value: { n: 17 } });
    expect(contained).toMatch(declared ? own : /chunks_\d+_metadata_idx/);
    expect(contained).not.toContain('_hnsw');
  });

  test('the index looks at as many more candidates as a filter takes away', async () => {
    const collection = await crowd.collection();
    const find = createChunkFinder(crowd.db);
    const question = { vector: vectorNear(1, 5), k: 10, filter: below(10_000) };
    const { index, effort } = await find(collection, { ...question, effort: 100 });
    expect(index).toBe('hnsw');
    expect(effort).toBeGreaterThan(170);
    expect(effort).toBeLessThan(240);
    // Later pages have the effort of the first one.
    const goOn = { index: 'hnsw', effort } as const;
    expect(await find(collection, { ...question, effort: effort as number, offset: 10, goOn })).toMatchObject(
      { effort },
    );
    // More effort costs more than comparing all that the filter lets through.
    expect(await find(collection, { ...question, effort: 400 })).toMatchObject({
      index: 'filter',
      effort: null,
    });
  });

  test('the second search with a filter is one statement', async () => {
    const collection = await crowd.collection();
    const find = createChunkFinder(crowd.db);
    await find(collection, { vector: vectorNear(1, 5), k: 10, effort: 100, filter: below(100) });
    crowd.sent.length = 0;
    await find(collection, { vector: vectorNear(2, 6), k: 10, effort: 100, filter: below(100) });
    expect(crowd.sent).toHaveLength(1);
  });

  test('a search without a filter is one statement, by the vector index', async () => {
    const collection = await crowd.collection();
    crowd.sent.length = 0;
    const { index } = await createChunkFinder(crowd.db)(collection, {
      vector: vectorNear(2, 6),
      k: 10,
      effort: 100,
    });
    expect(index).toBe('hnsw');
    expect(crowd.sent).toHaveLength(1);
    expect(await crowd.planOf(crowd.sent[0] as (typeof crowd.sent)[0])).toContain('_hnsw');
  });

  test.runIf(declared)(
    'the index of each type is used, also by prepared statements that run often',
    async () => {
      const collection = await crowd.collection();
      const filters: [string, Filter][] = [
        [
          'number',
          {
            op: 'in',
            path: ['n'],
            operands: [
              { type: 'number', value: 5 },
              { type: 'number', value: 6 },
            ],
          },
        ],
        [
          'datetime',
          { op: 'lt', path: ['day'], operand: { type: 'datetime', value: '1970-01-20T00:00:00Z' } },
        ],
      ];
      for (const [type, filter] of filters) {
        crowd.sent.length = 0;
        const find = createChunkFinder(crowd.db);
        const { hits } = await find(collection, { vector: vectorNear(1, 5), k: 10, effort: 100, filter });
        expect(hits.length).toBeGreaterThan(1);
        const statement = crowd.sent[1] as (typeof crowd.sent)[0];
        expect(await crowd.planOf(statement)).toMatch(new RegExp(`chunks_\\d+_by_${type}_`));
      }
      const scans = async () => {
        const { rows } = await crowd.pool.query<{ scans: number }>(
          `select idx_scan::int as scans from pg_stat_user_indexes where indexrelname ~ '_by_number_'`,
        );
        return rows[0]?.scans ?? 0;
      };
      const find = createChunkFinder(crowd.db);
      const before = await scans();
      for (let i = 0; i < 60; i += 1) {
        await find(collection, { vector: vectorNear(i, 5), k: 10, effort: 100, filter: below(30) });
      }
      await expect.poll(scans, { timeout: 15_000 }).toBeGreaterThanOrEqual(before + 60);
    },
  );
}

describeWithServices('postgres', 'filtered search', () => {
  describe('with indexes on the metadata', () => filteredSearch(true));
  describe('without', () => filteredSearch(false));

  test('a filter that was wide a moment ago still loses nothing', async () => {
    await using crowd = await makeCrowd(3_000, 1, metadataOf);
    const collection = await crowd.collection();
    const find = createChunkFinder(crowd.db);
    const question = { effort: 100, vector: vectorNear(3, 7), k: 20, filter: below(documents) };
    expect((await find(collection, question)).index).toBe('hnsw');
    await crowd.pool.query(
      `update sluice.chunks_${collection.id} set metadata = '{"n": 30000}' where (metadata ->> 'n')::int >= 60`,
    );
    crowd.sent.length = 0;
    const first = await find(collection, question);
    expect(first).toMatchObject({ index: 'filter', hits: { length: 9 } });
    // Once found out it is remembered.
    expect((await find(collection, question)).hits).toEqual(first.hits);
    expect(crowd.sent).toHaveLength(3);
  });

  test('an index that is declared later is used once it is built, and not before', async () => {
    await using crowd = await makeCrowd(3_000, 1, metadataOf);
    const { id } = await crowd.collection();
    const planOf = async () => {
      crowd.sent.length = 0;
      await createChunkFinder(crowd.db)(await crowd.collection(), {
        vector: vectorNear(1, 5),
        k: 10,
        effort: 100,
        filter: { op: 'contains', value: { n: 17 } },
      });
      return crowd.planOf(crowd.sent.at(-1) as (typeof crowd.sent)[0]);
    };
    const index = { field: 'n', type: 'number' } as const;
    await crowd.pool.lane('control').transaction((t) => declareMetadataIndexes(t, id, [index]));
    expect(await planOf()).toMatch(/chunks_\d+_metadata_idx/);
    await crowd.pool.session('bulk', (lease) => buildMetadataIndex(lease, id, index));
    expect((await crowd.collection()).metadataIndexes).toEqual([{ ...index, ready: true }]);
    expect(await planOf()).toMatch(/chunks_\d+_by_number_/);
  });
});
