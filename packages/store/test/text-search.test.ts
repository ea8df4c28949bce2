import { randomInt, randomUUID } from 'node:crypto';
import { createPool, type Pool } from '@sluice/pool';
import { createTestDatabase, describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Collection,
  chunkId,
  compileTextQuery,
  copyChunks,
  declareTextSearch,
  fillWords,
  languageOf,
  listCollections,
  noStatistics,
  parseTextQuery,
  searchWords,
} from '../src/index.ts';
import { makeCollection } from './support/fixtures.ts';

const seed = Number(process.env.TEST_SEED ?? randomInt(1 << 30));

function randomFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const vocabulary = [
  'đấu',
  'dấu',
  'dau',
  'Đầu',
  'thầu',
  'thau',
  'mở',
  'mo',
  'moi',
  'mời',
  "o'clock",
  'x_y',
  '3.5',
  'OR',
  'café',
  '采',
  'a',
];

/** Written without the code under test. */
const foldedWords = (text: string) =>
  text
    .toLowerCase()
    .replace(/đ/g, 'd')
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .split(/[^a-z0-9采]+/)
    .filter(Boolean);

interface Term {
  text: string;
  prefix: boolean;
}
interface Question {
  clauses: Term[][];
  excluded: Term[];
}

function has(words: readonly string[], { text, prefix }: Term): boolean {
  const wanted = foldedWords(text);
  return words.some((_, at) =>
    wanted.every((word, i) => {
      const found = words[at + i];
      return prefix && i === wanted.length - 1 ? found?.startsWith(word) : found === word;
    }),
  );
}

const matches = (words: readonly string[], { clauses, excluded }: Question) =>
  clauses.every((terms) => terms.some((term) => has(words, term))) &&
  !excluded.some((term) => has(words, term));

function write({ clauses, excluded }: Question): string {
  const term = ({ text, prefix }: Term) => `${text}${prefix ? '*' : ''}`;
  const said = clauses.map((terms) => terms.map(term).join(' or '));
  return [...said, ...excluded.map((one) => `-${term(one)}`)].join('  ');
}

describeWithServices('postgres', 'text queries', () => {
  const stack = new AsyncDisposableStack();
  let pool: Pool;
  beforeAll(async () => {
    const database = stack.use(await createTestDatabase());
    pool = stack.use(createPool({ connectionString: database.url, size: 2, maxOverflow: 0 }));
  });
  afterAll(() => stack.disposeAsync());

  async function fill(collection: Collection, texts: readonly string[]): Promise<void> {
    const documentId = randomUUID();
    await pool.query(
      `insert into sluice.documents (id, collection_id, external_id, name) values ($1::uuid, $2::bigint, $1::text, '')`,
      [documentId, collection.id],
    );
    const chunks = texts.map((text, ordinal) => ({
      id: chunkId(documentId, text, ordinal),
      ordinal,
      text,
      tokens: 1,
      page: null,
      headingPath: [],
      charStart: 0,
      charEnd: text.length,
      embedding: new Float32Array(8).fill(1),
    }));
    await pool
      .lane('bulk')
      .transaction((transaction) =>
        copyChunks(transaction, collection, [{ documentId, metadata: {}, chunks }]),
      );
  }

  async function find(collection: Collection, text: string): Promise<number[]> {
    const language = languageOf(collection.language);
    const compiled = compileTextQuery(parseTextQuery(text), language, 'all', noStatistics);
    const hits = await searchWords(pool, collection, { ...compiled, chunks: 0, limit: 1_000 });
    const scores = hits.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    return hits.map(({ ordinal }) => ordinal).sort((a, b) => a - b);
  }

  test(`find what a search in memory finds (seed ${seed})`, async () => {
    const random = randomFrom(seed);
    const pick = () => vocabulary[random(vocabulary.length)] as string;
    const several = (most: number) => Array.from({ length: 1 + random(most) }, pick);
    const collection = await makeCollection(pool);
    const texts = Array.from({ length: 300 }, () => several(7).join(' '));
    await fill(collection, texts);
    const words = texts.map(foldedWords);
    const term = (): Term => {
      if (random(3) === 0) return { text: `"${several(3).join(' ')}"`, prefix: random(4) === 0 };
      const word = pick();
      return { text: word === 'OR' ? '"or"' : word, prefix: random(4) === 0 };
    };
    let found = 0;
    for (let i = 0; i < 300; i += 1) {
      const question: Question = {
        clauses: Array.from({ length: 1 + random(2) }, () => Array.from({ length: 1 + random(2) }, term)),
        excluded: Array.from({ length: random(2) }, term),
      };
      const text = write(question);
      const expected = words.flatMap((each, at) => (matches(each, question) ? [at] : []));
      expect(await find(collection, text), text).toEqual(expected);
      found += expected.length;
    }
    expect(found).toBeGreaterThan(300);
  });

  test(`are never more than a query, whatever they say (seed ${seed})`, async () => {
    const random = randomFrom(seed);
    const collection = await makeCollection(pool, { language: 'english' });
    await fill(collection, ['nothing']);
    const parts = [
      "'",
      '"',
      '\\',
      '&',
      '|',
      '!',
      '(',
      ')',
      ':',
      '*',
      '<->',
      '<2>',
      ' ',
      '-',
      'or',
      'a',
      ':A',
      ';',
      '--',
      '$1',
      'é',
      '\ud800',
      '\0',
      '½',
      '́',
    ];
    for (let i = 0; i < 500; i += 1) {
      const text = Array.from({ length: 1 + random(12) }, () => parts[random(parts.length)]).join('');
      expect(await find(collection, text), JSON.stringify(text)).toEqual([]);
    }
    const { rows } = await pool.query(
      'select count(*)::int as count from sluice.collections where id = $1::bigint',
      [collection.id],
    );
    expect(rows).toEqual([{ count: 1 }]);
  });

  test('texts at the limits of a tsvector are taken', async () => {
    const collection = await makeCollection(pool);
    const many = Array.from({ length: 60_000 }, (_, i) => `w${i}`).join(' ');
    await fill(collection, [
      'word '.repeat(40_000),
      many,
      'x'.repeat(100_000),
      `${'日'.repeat(20_000)} end`,
      '',
      '\u0301',
    ]);
    expect(await find(collection, 'word')).toEqual([0]);
    expect(await find(collection, 'w1 w20000')).toEqual([1]);
    expect(await find(collection, 'x'.repeat(100_000))).toEqual([2]);
    expect(await find(collection, 'end')).toEqual([3]);
  });

  test('the words of chunks that were there are made when text search is turned on, also where the table had no column', async () => {
    const before = await makeCollection(pool, { textSearch: false });
    expect(before.textIndex).toBe('off');
    await fill(before, ['mở thầu', 'đóng thầu', 'thầu']);
    await pool.query(`alter table sluice.chunks_${before.id} drop column words`);
    // As a release that knows nothing of words, or a worker that has not heard of the change, goes on writing.
    await fill(before, ['thầu phụ']);
    await pool.lane('control').transaction((transaction) => declareTextSearch(transaction, before.id, true));
    await fill(before, ['hồ sơ thầu']);
    const collection = (await listCollections(pool)).find(({ id }) => id === before.id) as Collection;
    expect(collection.textIndex).toBe('filling');
    await fill(collection, ['thầu khoán']);
    const step = () => pool.lane('bulk').transaction((transaction) => fillWords(transaction, before, 2));
    expect([await step(), await step(), await step(), await step()]).toEqual([2, 2, 1, 0]);
    expect(await find(collection, 'thau')).toHaveLength(6);
    await pool.lane('control').transaction((transaction) => declareTextSearch(transaction, before.id, false));
    const off = (await listCollections(pool)).find(({ id }) => id === before.id);
    expect(off?.textIndex).toBe('off');
  });
});
