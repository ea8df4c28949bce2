import { createMemoryCache, createTieredCache } from '@sluice/cache';
import {
  bumpGeneration,
  type ChunkHit,
  type Collection,
  createCollection,
  listCollections,
  searchChunks,
} from '@sluice/store';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSearch, type Query, type QueryAnswer, queryCollections, type Search } from '../src/index.ts';
import { type Crowd, makeCrowd, vectorNear } from './support/crowd.ts';

const chunksEach = 12;
const documents = 250;
const half = { op: 'lt', path: ['n'], operand: { type: 'number', value: documents / 2 } } as const;

describeWithServices('postgres', 'queries', () => {
  let crowd: Crowd;
  let search: Search;
  let collection: Collection;
  const vector = vectorNear(7, 99.25);

  beforeAll(async () => {
    // So few chunks would be compared in a scan.
    crowd = await makeCrowd(documents, chunksEach, (n) => ({ n }), {}, { enable_seqscan: 'off' });
  });
  afterAll(() => crowd?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    collection = await crowd.collection();
    crowd.sent.length = 0;
    search = createSearch({
      db: crowd.db,
      embedderFor: () => {
        throw new Error('nothing to embed');
      },
      cache: createTieredCache(createMemoryCache({ maxBytes: 10_000_000 })),
      answers: { ttlMs: 60_000, staleMs: 0, shareWaitMs: 1_000, renewTimeoutMs: 10_000 },
      unmeasuredEffort: 100,
    });
  });

  const query = (change: Partial<Query> = {}) =>
    queryCollections(search, { collections: [collection], queries: [vector], k: 10, ...change });
  const exactly = (limit: number, of = vector, filter?: Query['filter']) =>
    searchChunks(crowd.pool, collection, { vector: of, limit, filter, access: 'scan' });
  const ids = (hits: readonly { id: string }[]) => hits.map(({ id }) => id);

  async function pages(change: Partial<Query>, most = 100): Promise<QueryAnswer['hits'][]> {
    const found: QueryAnswer['hits'][] = [];
    let cursor: string | null | undefined;
    do {
      const answer = await query({ ...change, cursor: cursor ?? undefined });
      found.push(answer.hits);
      cursor = answer.cursor;
    } while (cursor && found.length < most);
    return found;
  }

  test('a plain query is one statement, and says how it was answered', async () => {
    const { hits, searches } = await query();
    expect(crowd.sent).toHaveLength(1);
    expect(hits).toHaveLength(10);
    expect(searches).toMatchObject([{ cached: 'none', index: 'hnsw' }]);
    expect((await query()).searches).toMatchObject([{ cached: 'memory' }]);
  });

  test.each([
    ['by the vector index', undefined, 'hnsw'],
    ['over what a filter lets through', half, 'filter'],
  ] as const)(
    'a document has at most as many hits as allowed, and no nearer one is left out, %s',
    async (_, filter, index) => {
      for (const maxPerDocument of [1, 3]) {
        const counts = new Map<string, number>();
        const expected = (await exactly(documents * chunksEach, vector, filter)).filter(({ documentId }) => {
          counts.set(documentId, (counts.get(documentId) ?? 0) + 1);
          return (counts.get(documentId) as number) <= maxPerDocument;
        });
        const { hits, searches } = await query({ maxPerDocument, filter });
        expect(searches[0]?.index).toBe(index);
        const overlap = ids(hits).filter((id) => ids(expected.slice(0, 10)).includes(id));
        expect(overlap.length).toBeGreaterThanOrEqual(index === 'hnsw' ? 9 : 10);
        const distances = hits.map(({ distance }) => distance as number);
        expect(distances).toEqual([...distances].sort((a, b) => a - b));
      }
    },
  );

  test('more documents than the nearest chunks have are found by looking further', async () => {
    // The nearest 60 chunks are of the 5 documents around the same centre.
    const { hits } = await query({ maxPerDocument: 1, k: 30 });
    expect(new Set(hits.map(({ documentId }) => documentId)).size).toBe(30);
    expect(crowd.sent.length).toBeGreaterThan(1);
  });

  test('context is the chunks around each hit, within its document, in one statement', async () => {
    const { hits } = await query({ context: { before: 2, after: 1 }, k: 40 });
    expect(crowd.sent).toHaveLength(1);
    for (const { ordinal, neighbours, documentName } of hits) {
      const expected = [-2, -1, 1].map((step) => ordinal + step).filter((at) => at >= 0 && at < chunksEach);
      expect(neighbours?.map((one) => one.ordinal)).toEqual(expected);
      for (const one of neighbours ?? []) {
        expect(one.text).toBe(`chunk ${one.ordinal} of document ${documentName.slice(1)}`);
      }
    }
    expect(hits.some(({ ordinal }) => ordinal === 0 || ordinal === chunksEach - 1)).toBe(true);
  });

  test('hybrid takes its list of vectors from the vector index, in one statement', async () => {
    const hybrid = createSearch({
      db: crowd.db,
      embedderFor: () => ({ embed: async () => [vector], refusal: () => undefined, close: async () => {} }),
      cache: createTieredCache(createMemoryCache({ maxBytes: 10_000_000 })),
      answers: { ttlMs: 60_000, staleMs: 0, shareWaitMs: 1_000, renewTimeoutMs: 10_000 },
      unmeasuredEffort: 100,
    });
    const words = { mode: 'hybrid', vectorWeight: 1, textWeight: 1 } as const;
    const question = { collections: [collection], queries: ['document 17'], k: 10, words };
    const { hits, searches } = await queryCollections(hybrid, question);
    expect(hits).toHaveLength(10);
    expect(searches).toMatchObject([{ index: 'hnsw', textIndex: 'exact' }]);
    const statement = crowd.sent.at(-1) as (typeof crowd.sent)[0];
    expect(await crowd.planOf(statement)).toContain(`chunks_${collection.id}_hnsw`);
  });

  test('only hits of the score that is asked for', async () => {
    const all = (await query({ k: 50 })).hits;
    const minScore = all[19]?.score as number;
    const { hits, cursor } = await query({ k: 50, minScore });
    expect(ids(hits)).toEqual(ids(all.slice(0, 20)));
    expect(cursor).toBeNull();
    expect((await query({ minScore: 1.1 })).hits).toEqual([]);
  });

  describe('pages', () => {
    test.each([
      ['by the vector index', {}],
      ['over what a filter lets through', { filter: half }],
      ['with few hits of a document', { maxPerDocument: 2 }],
    ] as [string, Partial<Query>][])('put together are the one long answer, %s', async (_, change) => {
      const found = await pages({ ...change, k: 7 }, 10);
      expect(found.map((page) => page.length)).toEqual(Array(10).fill(7));
      expect(ids(found.flat())).toEqual(ids((await query({ ...change, k: 70 })).hits));
    });

    test('end where the hits do, and each comes once', async () => {
      const few = { op: 'lt', path: ['n'], operand: { type: 'number', value: 3 } } as const;
      const found = await pages({ filter: few, k: 10 });
      expect(found.map((page) => page.length)).toEqual([10, 10, 10, 6]);
      expect(new Set(ids(found.flat())).size).toBe(3 * chunksEach);
    });

    test('reach a thousand hits deep', async () => {
      const found = await pages({ k: 150 });
      expect(found.map((page) => page.length)).toEqual([150, 150, 150, 150, 150, 150, 100]);
      expect(new Set(ids(found.flat())).size).toBe(1_000);
    });

    test('of a fused query put together have each hit once, best first', async () => {
      const queries = [vector, vectorNear(8, 3)];
      const found = (await pages({ queries, k: 9 }, 8)).flat();
      expect(new Set(ids(found)).size).toBe(72);
      const scores = found.map(({ score }) => score);
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
    });

    test('of a collection that has changed are refused, and so are those of another request', async () => {
      const cursor = (await query()).cursor as string;
      await expect(query({ cursor, queries: [vectorNear(1, 1)] })).rejects.toMatchObject({
        code: 'cursor_invalid',
      });
      await expect(query({ cursor, filter: half })).rejects.toMatchObject({ code: 'cursor_invalid' });
      for (const nonsense of ['', 'x', 'bnVsbA', Buffer.from('[1e9,0,[0],["x"],""]').toString('base64url')]) {
        await expect(query({ cursor: nonsense })).rejects.toMatchObject({ code: 'cursor_invalid' });
      }
      expect((await query({ cursor, k: 3, context: { before: 1, after: 0 } })).hits).toHaveLength(3);
      await crowd.pool.lane('bulk').transaction((transaction) => bumpGeneration(transaction, collection.id));
      collection = await crowd.collection();
      await expect(query({ cursor })).rejects.toMatchObject({ code: 'cursor_expired' });
    });
  });

  test('several queries are fused by the places of their hits', async () => {
    const queries = [vector, vectorNear(8, 3), vectorNear(7, 120.5)];
    const lists = await Promise.all(
      queries.map(async (one) => ids((await query({ queries: [one], k: 100 })).hits)),
    );
    const { hits, searches } = await query({ queries, k: 20 });
    expect(searches).toHaveLength(3);
    const scoreOf = (id: string) =>
      lists
        .map((list) => list.indexOf(id))
        .reduce((sum, place) => sum + (place < 0 ? 0 : 1 / (61 + place)), 0);
    for (const hit of hits) expect(hit.score).toBeCloseTo(scoreOf(hit.id), 10);
    const best = [...new Set(lists.flat())].map(scoreOf).sort((a, b) => b - a);
    expect(hits.map(({ score }) => score.toFixed(10))).toEqual(
      best.slice(0, 20).map((score) => score.toFixed(10)),
    );
    const spread = await query({ queries, k: 20, maxPerDocument: 1 });
    expect(new Set(spread.hits.map(({ documentId }) => documentId)).size).toBe(spread.hits.length);
  });

  test('several collections are searched as one, if their vectors can be compared', async () => {
    const { id: _, generation: __, createdAt: ___, ...definition } = collection;
    const others = await crowd.pool
      .lane('bulk')
      .transaction(async (transaction) => [
        await createCollection(transaction, { ...definition, name: 'second' }),
        await createCollection(transaction, { ...definition, name: 'l2', distance: 'l2' }),
        await createCollection(transaction, { ...definition, name: 'model', embeddingModel: 'other' }),
      ]);
    const second = others[0] as Collection;
    // Every third document moves over.
    await crowd.pool.query(
      `with moved as (delete from sluice.chunks_${collection.id} where (metadata ->> 'n')::int % 3 = 0 returning *)
       insert into sluice.chunks_${second.id} select * from moved`,
    );
    const collections = [collection, second];
    const found = (await pages({ collections, k: 15 }, 4)).flat();
    const of = async (one: Collection): Promise<ChunkHit[]> =>
      searchChunks(crowd.pool, one, { vector, limit: 60, access: 'scan' });
    const expected = [...(await of(collection)), ...(await of(second))].sort(
      (a, b) => a.distance - b.distance,
    );
    const overlap = ids(found).filter((id) => ids(expected.slice(0, 60)).includes(id));
    expect(overlap.length).toBeGreaterThanOrEqual(59);
    expect(new Set(found.map((hit) => hit.collection))).toEqual(new Set(['crowd', 'second']));
    expect((await listCollections(crowd.pool)).length).toBe(4);
    for (const other of others.slice(1)) {
      await expect(query({ collections: [collection, other] })).rejects.toMatchObject({
        code: 'collections_differ',
        details: { collections: ['crowd', other.name] },
      });
    }
  });

  test('an explanation has the plan, the index, the effort and the time of each step, and is never cached', async () => {
    for (let i = 0; i < 2; i += 1) {
      const { searches } = await query({ explain: true });
      const [{ cached, explanation }] = searches as [(typeof searches)[0]];
      expect(cached).toBe('none');
      expect(explanation).toMatchObject({ effort: 100, statements: 1, estimate: undefined });
      expect(explanation?.plan.join('\n')).toMatch(
        /Index Scan using chunks_\d+_hnsw.*Order By: \(embedding <=> \$vector\)/s,
      );
    }
    const { searches } = await query({ explain: true, filter: half });
    expect(searches[0]?.explanation?.estimate).toMatchObject({ matches: expect.any(Number) });
    expect(searches[0]?.explanation?.plan.join('\n')).not.toContain('hnsw');
  });
});
