import { randomUUID } from 'node:crypto';
import { createMemoryCache, createTieredCache } from '@sluice/cache';
import { createEmbedder, createLocalProvider } from '@sluice/embeddings';
import { createPool, type Pool } from '@sluice/pool';
import {
  bumpGeneration,
  type Collection,
  copyChunks,
  createCollection,
  listCollections,
  type NewCollection,
  searchChunks,
} from '@sluice/store';
import { createTestDatabase, describeWithServices, startEmbeddedDatabase } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSearch, type Query, queryCollections } from '../src/index.ts';
import { definitionOf, onlyChunk } from './support/small-collection.ts';

const dimensions = 64;
const provider = createLocalProvider({ dimensions });

const passages = [
  'Nhà thầu nộp hồ sơ mời thầu trước ngày mở thầu',
  'Dau thau qua mang la bat buoc',
  'Đấu thầu qua mạng được khuyến khích',
  'đầu tư và thấu kính',
  'The bidding procedure starts with a notice; bidders submit their bids',
  'A bid is valid for ninety days after the opening',
  'The opening of bids is public and the public may attend',
  'Contracts are signed after the award; e-procurement is used',
  'procurement by electronic means (e.g. version 3.5) and naïve café prices',
  '政府采购法 规定招标程序',
  `injected ' & ! | ( ) : * <-> \\ "quotes" and 'apostrophes'`,
] as const;

interface Texts {
  pool: Pool;
  collection: Collection;
  search: ReturnType<typeof createSearch>;
  find(query: string, change?: Partial<Query>): Promise<number[]>;
  query(query: string, change?: Partial<Query>): ReturnType<typeof queryCollections>;
  sent: string[];
}

async function texts(pool: Pool, change: Partial<NewCollection> = {}): Promise<Texts> {
  const definition = { name: `t-${randomUUID().slice(0, 8)}`, ...definitionOf(dimensions), ...change };
  const created = await pool
    .lane('bulk')
    .transaction((transaction) => createCollection(transaction, definition));
  const documents = await Promise.all(
    passages.map(async (text, i) => {
      const documentId = randomUUID();
      await pool.query(
        `insert into sluice.documents (id, collection_id, external_id, name) values ($1::uuid, $2::bigint, $3::text, $3::text)`,
        [documentId, created.id, String(i)],
      );
      const chunk = await onlyChunk(provider, documentId, text);
      return { documentId, metadata: { i, even: i % 2 === 0 }, chunks: [chunk] };
    }),
  );
  await pool.lane('bulk').transaction(async (transaction) => {
    await copyChunks(transaction, created, documents);
    await bumpGeneration(transaction, created.id);
  });
  const sent: string[] = [];
  const embedder = createEmbedder(provider, { maxWaitMs: 1_000, concurrency: 1, retries: 0 });
  const search = createSearch({
    db: {
      query(text, values, options) {
        sent.push(text);
        return pool.lane('interactive').query(text, values, options);
      },
    },
    embedderFor: () => embedder,
    cache: createTieredCache(createMemoryCache({ maxBytes: 10_000_000 })),
    answers: { ttlMs: 60_000, staleMs: 0, shareWaitMs: 1_000, renewTimeoutMs: 10_000 },
    unmeasuredEffort: 100,
  });
  const collection = (await listCollections(pool)).find(({ id }) => id === created.id) as Collection;
  const words = { mode: 'text', vectorWeight: 1, textWeight: 1 } as const;
  const query = (text: string, changes: Partial<Query> = {}) =>
    queryCollections(search, { collections: [collection], queries: [text], k: 20, words, ...changes });
  return {
    pool,
    collection,
    search,
    sent,
    query,
    async find(text, changes) {
      return (await query(text, changes)).hits.map(({ externalId }) => Number(externalId));
    },
  };
}

const hybrid = { mode: 'hybrid', vectorWeight: 1, textWeight: 1 } as const;
const sorted = (list: number[]) => [...list].sort((a, b) => a - b);

function textSearch(open: () => Promise<Pool & AsyncDisposable>): void {
  let pool: Pool & AsyncDisposable;
  let simple: Texts;
  let english: Texts;

  beforeAll(async () => {
    pool = await open();
    simple = await texts(pool);
    english = await texts(pool, { language: 'english' });
  }, 120_000);
  afterAll(() => pool?.[Symbol.asyncDispose]());

  test('a query without diacritics finds words with and without; one with them ranks what is written so above', async () => {
    expect(sorted(await simple.find('dau thau'))).toEqual([1, 2, 3]);
    expect(sorted(await simple.find('ĐẤU THẦU'))).toEqual([1, 2, 3]);
    expect((await simple.find('đấu thầu'))[0]).toBe(2);
    expect((await simple.find('Đấu Thầu'.normalize('NFD')))[0]).toBe(2);
    expect(await simple.find('cafe naive')).toEqual([8]);
  });

  test('phrases are words next to each other, in quotation marks or joined by punctuation', async () => {
    expect(sorted(await simple.find('"dau thau"'))).toEqual([1, 2]);
    expect(await simple.find('“hồ sơ mời thầu”')).toEqual([0]);
    expect(await simple.find('"sơ hồ"')).toEqual([]);
    expect(await simple.find('e-procurement')).toEqual([7]);
    expect(await simple.find('3.5')).toEqual([8]);
    expect(await simple.find('采购')).toEqual([9]);
    expect(await simple.find('购采')).toEqual([]);
  });

  test('-without, or, and the beginnings of words', async () => {
    expect(sorted(await simple.find('opening'))).toEqual([5, 6]);
    expect(await simple.find('opening -public')).toEqual([5]);
    expect(await simple.find('opening -"ninety days"')).toEqual([6]);
    expect(sorted(await simple.find('award or ninety'))).toEqual([5, 7]);
    expect(sorted(await simple.find('procur*'))).toEqual([7, 8]);
    expect(sorted(await simple.find('thâ*'))).toEqual([0, 1, 2, 3]);
    expect(sorted(await english.find('procurem*'))).toEqual([7, 8]);
  });

  test('english words are found by their stems, and what is written so comes first', async () => {
    expect(sorted(await english.find('bid'))).toEqual([4, 5, 6]);
    expect((await english.find('bidding'))[0]).toBe(4);
    expect(await simple.find('bid')).toEqual([5]);
  });

  test('whatever is asked is a query, and none an error', async () => {
    for (const text of [
      "'",
      '"',
      '-',
      '*',
      '???',
      '\\',
      "x' & !y",
      '(a | b)',
      'a:*',
      '<->',
      ':A',
      '!',
      '=',
      'or',
      '-a',
      'or or or',
    ]) {
      expect((await simple.query(text)).hits).toBeInstanceOf(Array);
      expect((await simple.query(text, { words: hybrid })).hits).toBeInstanceOf(Array);
    }
    expect(await simple.find(`' & ! | ( ) : * <-> \\ "quotes" 'apostrophes'`)).toEqual([10]);
    expect(await simple.find('=dau')).toEqual(await simple.find('dau'));
    expect(await simple.find('nothing of this')).toEqual([]);
  });

  test('filters, thresholds, pages and neighbours apply', async () => {
    const even = { op: 'eq', path: ['even'], operand: { type: 'boolean', value: true } } as const;
    expect(sorted(await simple.find('the', { filter: even }))).toEqual([4, 6]);
    const { hits } = await simple.query('thau');
    expect(hits.every(({ score, distance }) => score > 0 && score <= 1 && distance === null)).toBe(true);
    const minScore = hits[1]?.score as number;
    expect((await simple.query('thau', { minScore })).hits.every(({ score }) => score >= minScore)).toBe(
      true,
    );
    const first = await simple.query('thau', { k: 2 });
    const second = await simple.query('thau', { k: 2, cursor: first.cursor as string });
    expect([...first.hits, ...second.hits].map(({ id }) => id)).toEqual(hits.slice(0, 4).map(({ id }) => id));
    const around = await simple.query('thau', { context: { before: 1, after: 1 } });
    expect(around.hits[0]?.neighbours).toEqual([]);
    expect(
      (await simple.query('thau', { explain: true })).searches[0]?.explanation?.plan.length,
    ).toBeGreaterThan(0);
  });

  test('hybrid is the reciprocal rank fusion of both lists, in one statement, with weights', async () => {
    const text = 'When is the opening of bids for ninety days?';
    const [vector] = await provider.embed([text], { purpose: 'query', signal: AbortSignal.timeout(5_000) });
    const near = await searchChunks(pool, english.collection, {
      vector: vector as Float32Array,
      limit: 100,
      access: 'scan',
    });
    // With no weight on vectors, those that the words find come first, in their order.
    const all = await english.query(text, { words: { ...hybrid, vectorWeight: 0 } });
    const byWords = all.hits.filter(({ score }) => score > 0).map(({ id }) => id);
    expect(byWords.length).toBeGreaterThan(2);
    expect(byWords.length).toBeLessThan(passages.length);
    for (const [vectorWeight, textWeight] of [
      [1, 1],
      [3, 1],
      [0.2, 1],
    ] as const) {
      const scores = new Map<string, number>();
      const add = (id: string, place: number, weight: number) =>
        scores.set(id, (scores.get(id) ?? 0) + weight / (61 + place));
      for (const [place, { id }] of near.entries()) add(id, place, vectorWeight);
      for (const [place, id] of byWords.entries()) add(id, place, textWeight);
      english.sent.length = 0;
      const { hits, searches } = await english.query(text, {
        words: { mode: 'hybrid', vectorWeight, textWeight },
      });
      expect(english.sent).toHaveLength(1);
      expect(searches[0]?.textIndex).toBe('gin');
      expect(hits.map(({ score }) => score.toFixed(12))).toEqual(
        [...scores.values()].sort((a, b) => b - a).map((score) => score.toFixed(12)),
      );
      for (const { id, score } of hits) expect(score).toBeCloseTo(scores.get(id) as number, 12);
      expect(hits.every(({ distance }) => distance !== null)).toBe(true);
    }
    // No chunk has all these words.
    expect((await english.query(text)).hits).toEqual([]);
  });

  test('what is excluded is in no list', async () => {
    const hits = await english.find('opening of bids -"ninety days" -contracts', { words: hybrid });
    expect(hits.length).toBe(passages.length - 2);
    expect(hits).not.toContain(5);
    expect(hits).not.toContain(7);
    expect(hits[0]).toBe(6);
  });

  test('an answer by words is not taken for one by vectors, nor one of other weights', async () => {
    const modes = [undefined, hybrid, { ...hybrid, textWeight: 2 }, { ...hybrid, mode: 'text' as const }];
    for (const words of modes) {
      const { searches } = await simple.query('mở thầu', { words });
      expect(searches[0]?.cached).toBe('none');
      expect((await simple.query('mở thầu', { words })).searches[0]?.cached).toBe('memory');
    }
  });

  test('several queries and collections are one answer', async () => {
    const { hits, searches } = await simple.query('opening', {
      queries: ['opening', 'award'],
      collections: [simple.collection, english.collection],
    });
    expect(searches).toHaveLength(4);
    expect(sorted(hits.map(({ externalId }) => Number(externalId)))).toEqual([5, 5, 6, 6, 7, 7]);
  });

  test('a collection that keeps no words says so', async () => {
    const off = await texts(pool, { textSearch: false });
    for (const mode of ['text', 'hybrid'] as const) {
      await expect(off.query('opening', { words: { ...hybrid, mode } })).rejects.toMatchObject({
        code: 'text_search_unavailable',
        message: expect.stringContaining('PATCH'),
      });
    }
    expect((await off.query('opening', { words: undefined })).hits.length).toBeGreaterThan(0);
  });
}

describeWithServices('postgres', 'text search', () =>
  textSearch(async () => {
    const stack = new AsyncDisposableStack();
    const database = stack.use(await createTestDatabase());
    const pool = stack.use(createPool({ connectionString: database.url, size: 4, maxOverflow: 0 }));
    return Object.assign(pool, { [Symbol.asyncDispose]: () => stack.disposeAsync() });
  }),
);

describe('text search in the embedded Postgres', () =>
  textSearch(async () => {
    const stack = new AsyncDisposableStack();
    const { url } = stack.use(await startEmbeddedDatabase());
    const pool = stack.use(
      createPool({ connectionString: url, size: 1, maxOverflow: 0, sharedSession: true }),
    );
    return Object.assign(pool, { [Symbol.asyncDispose]: () => stack.disposeAsync() });
  }));
