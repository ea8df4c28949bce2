import { createMemoryCache, createTieredCache } from '@sluice/cache';
import type { Filter } from '@sluice/contract';
import { createEmbedder, createLocalProvider } from '@sluice/embeddings';
import { createPool, type Pool, type Queryable } from '@sluice/pool';
import {
  bumpGeneration,
  type Collection,
  copyChunks,
  createCollection,
  listCollections,
} from '@sluice/store';
import { createTestDatabase, describeWithServices, type TestDatabase } from '@sluice/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSearch, type Search } from '../src/index.ts';
import { definitionOf, onlyChunk } from './support/small-collection.ts';

const dimensions = 384;
const contains = (value: Record<string, unknown>): Filter => ({ op: 'contains', value });
const provider = createLocalProvider({ dimensions });
const documentIds = ['0a000000-0000-4000-8000-000000000001', '0a000000-0000-4000-8000-000000000002'];
const texts = ['The quick brown fox jumps.', 'Nhà thầu nộp bảo đảm dự thầu.'];

describeWithServices('postgres', 'search', () => {
  let database: TestDatabase;
  let pool: Pool;
  let statements: string[];
  let embedded: string[];
  let search: Search;

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool({ connectionString: database.url, size: 4, maxOverflow: 0 });
    await pool
      .lane('control')
      .transaction((transaction) =>
        createCollection(transaction, { name: 'test', ...definitionOf(dimensions) }),
      );
    for (const [i, text] of texts.entries()) await publish(i, text);
  });
  afterAll(async () => {
    await pool?.drain();
    await database?.[Symbol.asyncDispose]();
  });

  async function publish(i: number, text: string): Promise<void> {
    const { id: collectionId, storage } = await collection();
    const id = documentIds[i] as string;
    await pool.query(
      `insert into sluice.documents (id, collection_id, external_id, name, metadata)
       values ($1::uuid, $2::bigint, $3::text, $3::text, '{}')`,
      [id, collectionId, `document-${i}`],
    );
    const chunk = await onlyChunk(provider, id, text);
    await pool.lane('bulk').transaction(async (transaction) => {
      await copyChunks(transaction, { id: collectionId, storage }, [
        { documentId: id, metadata: { place: i, tags: ['a', 'b'] }, chunks: [chunk] },
      ]);
      await bumpGeneration(transaction, collectionId);
    });
  }
  const collection = async () => (await listCollections(pool))[0] as Collection;

  beforeEach(() => {
    statements = [];
    embedded = [];
    const embedder = createEmbedder(provider, { maxWaitMs: 0, concurrency: 2, retries: 0 });
    // The real lane and the real provider, with a counter in front.
    const db: Queryable = {
      query: (text, values, options) => {
        statements.push(text);
        return pool.lane('interactive').query(text, values, options);
      },
    };
    search = createSearch({
      db,
      embedderFor: () => ({
        ...embedder,
        embed: (asked, options) => {
          embedded.push(...asked);
          return embedder.embed(asked, options);
        },
      }),
      cache: createTieredCache(createMemoryCache({ maxBytes: 1_000_000 })),
      answers: { ttlMs: 60_000, staleMs: 0, shareWaitMs: 1_000, renewTimeoutMs: 10_000 },
      unmeasuredEffort: 100,
    });
  });

  test('a query finds the nearest chunk first, with its document', async () => {
    const answer = await search({ collection: await collection(), query: 'brown fox', k: 2 });
    expect(answer.cached).toBe('none');
    expect(answer.hits.map(({ externalId }) => externalId)).toEqual(['document-0', 'document-1']);
    expect(answer.hits[0]).toMatchObject({ text: texts[0], metadata: { place: 0 } });
    expect(answer.timings.total).toBeGreaterThanOrEqual(answer.timings.search);
  });

  test('a second identical query is answered from the cache, with the same hits', async () => {
    const request = { collection: await collection(), query: 'bao dam du thau', k: 2 };
    const first = await search(request);
    const second = await search(request);
    expect(second.cached).toBe('memory');
    expect(second.hits).toEqual(first.hits);
    expect(second.timings).toMatchObject({ embed: 0, search: 0 });
    expect(statements).toHaveLength(1);
  });

  test('a write makes the next query search again, without embedding its text again', async () => {
    const request = { query: 'fox', k: 2 };
    const before = await search({ ...request, collection: await collection() });
    await pool
      .lane('bulk')
      .transaction(async (transaction) => bumpGeneration(transaction, (await collection()).id));
    const after = await search({ ...request, collection: await collection() });
    expect(after.generation).toBe(before.generation + 1);
    expect(after.cached).toBe('none');
    expect(statements).toHaveLength(2);
    expect(embedded).toEqual(['fox']);
  });

  test('identical queries at the same time are answered by one statement', async () => {
    const request = { collection: await collection(), query: 'jumps', k: 2 };
    const answers = await Promise.all(Array.from({ length: 50 }, () => search(request)));
    expect(statements).toHaveLength(1);
    expect(embedded).toEqual(['jumps']);
    for (const { hits } of answers) expect(hits).toEqual(answers[0]?.hits);
  });

  test('queries at the same time that differ do not share an answer', async () => {
    const asked = await collection();
    const base = { collection: asked, query: 'fox', k: 2 };
    const answers = await Promise.all([
      search(base),
      search({ ...base, k: 1 }),
      search({ ...base, filter: contains({ place: 1 }) }),
      search({ ...base, query: 'nhà thầu' }),
    ]);
    // And one that estimates what the filter lets through.
    expect(statements).toHaveLength(5);
    expect(answers.map(({ hits }) => hits.map(({ metadata }) => metadata.place))).toEqual([
      [0, 1],
      [0],
      [1],
      [1, 0],
    ]);
  });

  test('the order of the members of a filter does not matter, that of its array members does', async () => {
    const request = { collection: await collection(), query: 'fox', k: 2 };
    await search({ ...request, filter: contains({ place: 0, tags: ['a', 'b'] }) });
    expect((await search({ ...request, filter: contains({ tags: ['a', 'b'], place: 0 }) })).cached).toBe(
      'memory',
    );
    const reordered = await search({ ...request, filter: contains({ place: 0, tags: ['b', 'a'] }) });
    expect(reordered.cached).toBe('none');
    expect(reordered.hits).toHaveLength(1);
  });

  test('an object and an array that would read alike are different filters', async () => {
    const request = { collection: await collection(), query: 'fox', k: 2 };
    await search({ ...request, filter: contains({ tags: { a: 'b' } }) });
    expect((await search({ ...request, filter: contains({ tags: [['a', 'b']] }) })).cached).toBe('none');
  });

  test('a query that finds nothing has no hits, and that is cached too', async () => {
    const request = {
      collection: await collection(),
      query: 'fox',
      k: 5,
      filter: contains({ place: 'nowhere' }),
    };
    expect(await search(request)).toMatchObject({ hits: [], cached: 'none' });
    expect(await search(request)).toMatchObject({ hits: [], cached: 'memory' });
  });

  test('a vector is searched as it is, and one that is a view of a larger buffer as what it shows', async () => {
    const vectors = await provider.embed(texts, { purpose: 'query', signal: AbortSignal.timeout(5_000) });
    const both = new Float32Array([...(vectors[0] as Float32Array), ...(vectors[1] as Float32Array)]);
    for (const i of [0, 1]) {
      const vector = both.subarray(i * dimensions, (i + 1) * dimensions);
      const { hits } = await search({ collection: await collection(), query: vector, k: 1 });
      expect(hits[0]?.externalId).toBe(`document-${i}`);
    }
    expect(embedded).toEqual([]);
  });

  test('a vector of another length is refused with both lengths, and that is not cached', async () => {
    const request = { collection: await collection(), query: new Float32Array(3), k: 1 };
    for (let i = 0; i < 2; i += 1) {
      await expect(search(request)).rejects.toMatchObject({
        code: 'wrong_vector_length',
        details: { given: 3, expected: dimensions },
      });
    }
  });
});
