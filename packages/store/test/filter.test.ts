import { type Filter, querySchema } from '@sluice/contract';
import type { Pool } from '@sluice/pool';
import { describeWithServices } from '@sluice/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileFilter } from '../src/filter.ts';
import { indexedValue, type MetadataIndex } from '../src/metadata-index.ts';
import { createParameters } from '../src/parameters.ts';
import { openEmbedded, openPostgres } from './support/both-databases.ts';
import { evaluateFilter, type Json } from './support/evaluate-filter.ts';

function parse(filter: unknown): Filter {
  return querySchema.parse({ query: 'x', filter }).filter as Filter;
}

/** Few, so that filters and documents meet; and nasty. */
const keys = [
  'a',
  'b',
  'year',
  '0',
  '',
  "it's",
  '"',
  '\\',
  'a.b',
  '__proto__',
  'constructor',
  '{}',
  '$1',
  '$$',
  '$gt',
  '%',
  '--',
  "'; drop table sluice.uploads; --",
  'năm',
  '🙂',
  'x'.repeat(300),
];
const texts = [
  ...keys,
  'Z',
  'z',
  'é',
  'e\u0301',
  '\u{10000}',
  '\uffee',
  ' ',
  '\n',
  'null',
  'NULL',
  'true',
  '2020',
  '{"a": 1}',
  "''",
  '$$',
  '\\u0000',
  '\\x00',
  'y'.repeat(255),
  'y'.repeat(256),
  `${'y'.repeat(256)}z`,
  '🙂'.repeat(255),
  '🙂'.repeat(256),
  'y'.repeat(4_000),
  '2020-02-29',
  '2021-02-29',
  '2020-02-29T00:00:00Z',
  '2020-02-29T02:00:00+02:00',
  '2020-02-29T00:00Z',
  '2020-02-28T23:59:59.999999Z',
  '2020-13-01',
  '2020-02-29 00:00:00',
  '0000-01-01',
  '9999-12-31T23:59:59.999999-15:59',
  'infinity',
  '2020-02-29T24:00:00Z',
  '2020-02-29T00:00:00',
  '٢٠٢٠-٠٢-٠١',
];
const dates = [
  '2020-02-29',
  '2020-02-29T02:00:00+02:00',
  '2020-02-28T23:59:59.999999Z',
  '0001-01-01',
  '9999-12-31T23:59:59.999999-15:59',
];
const numbers = [
  0,
  -0,
  1,
  1.5,
  -1,
  2020,
  0.1,
  0.30000000000000004,
  1e21,
  1e-7,
  5e-324,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  Number('12345678901234567890'),
];
// Nobody can send these, but they may be in the table.
const bigNumbers = [12345678901234567890n, 12345678901234567891n, 10n ** 400n, -(10n ** 400n)];

const key = fc.constantFrom(...keys);
const scalar = fc.oneof(
  fc.constantFrom<Json>(...texts),
  fc.constantFrom<Json>(...numbers),
  fc.constantFrom<Json>(null, true, false),
  fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => !text.includes('\0')),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const objectOf = (value: fc.Arbitrary<Json>, options = { maxKeys: 4 }) =>
  fc.dictionary(key, value, options).map((object) => Object.fromEntries(Object.entries(object)) as Json);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    objectOf(tie('value') as fc.Arbitrary<Json>),
  ),
}));
const stored = fc.oneof({ weight: 5, arbitrary: value }, fc.constantFrom<Json>(...bigNumbers));
const metadata = objectOf(stored, { maxKeys: 8 });

/** In filters a leading $ of a key is doubled. */
function escaped(json: Json): Json {
  if (Array.isArray(json)) return json.map(escaped);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, member]) => [name.startsWith('$') ? `$${name}` : name, escaped(member)]),
  );
}
const literal = value.map(escaped);
const operand = fc.oneof(
  { weight: 4, arbitrary: scalar },
  literal,
  fc.constantFrom(...dates).map(($date): Json => ({ $date })),
);
const ordered = fc.oneof(
  fc.constantFrom<Json>(...texts, ...numbers),
  fc.constantFrom(...dates).map(($date): Json => ({ $date })),
);
const comparison = fc.oneof(
  fc.record({ $eq: operand }),
  fc.record({ $ne: operand }),
  ...['$gt', '$gte', '$lt', '$lte'].map((name) => ordered.map((than): Json => ({ [name]: than }))),
  fc.record({ $gte: ordered, $lt: ordered }),
  fc.array(operand, { minLength: 1, maxLength: 6 }).map((list): Json => ({ $in: list })),
  fc.array(operand, { minLength: 1, maxLength: 40 }).map((list): Json => ({ $nin: list })),
  fc.record({ $exists: fc.boolean() }),
) as fc.Arbitrary<Json>;
const { filter } = fc.letrec<{ filter: Json; below: Json }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    objectOf(tie('below') as fc.Arbitrary<Json>, { maxKeys: 3 }).map((object) =>
      Object.fromEntries(
        Object.entries(object as object).map(([name, member]) => [
          name.startsWith('$') ? `$${name}` : name,
          member,
        ]),
      ),
    ),
    fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((list) => ({ $and: list as Json[] })),
    fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((list) => ({ $or: list as Json[] })),
    tie('filter').map((inner) => ({ $not: inner as Json })),
  ),
  below: fc.oneof({ maxDepth: 3, withCrossShrink: true }, comparison, literal, tie('filter')),
}));

/** JSON with big integers as what they are. */
function write(json: Json): string {
  if (typeof json === 'bigint') return String(json);
  if (Array.isArray(json)) return `[${json.map(write)}]`;
  if (typeof json !== 'object' || json === null) return JSON.stringify(json);
  return `{${Object.entries(json).map(([name, member]) => `${JSON.stringify(name)}:${write(member)}`)}}`;
}

async function matching(
  pool: Pool,
  asked: Filter,
  documents: readonly Json[],
  indexes: MetadataIndex[] = [],
): Promise<boolean[]> {
  const parameters = createParameters();
  const given = parameters.bind(`[${documents.map(write)}]`, 'jsonb');
  const condition = compileFilter(asked, parameters, indexes);
  const { rows } = await pool.query<{ place: number }>(
    `select place::int as place from jsonb_array_elements(${given}) with ordinality d (metadata, place) where ${condition}`,
    parameters.values,
  );
  const found = new Set(rows.map(({ place }) => place));
  return documents.map((_, i) => found.has(i + 1));
}

const allIndexes: MetadataIndex[] = ['a', 'b', 'year', 'a.b', 'year.a', 'năm', '0'].flatMap((field) =>
  (['text', 'number', 'boolean', 'datetime'] as const).map((type) => ({ field, type })),
);

test('the text of a statement has nothing in it that a request can choose but its shape', () => {
  // Keys of fields that are declared are literals; they are letters, digits, _ and -.
  const words =
    /^(?:case|when|then|end|and|or|is|not|null|true|any|left|collate "C"|metadata|jsonb_typeof|sluice\.instant|numeric|text|boolean|timestamptz|jsonb|'(?:number|string|boolean|\{\}|[\p{L}\d_-]+)'|\$\d+|::|->|#>>|@>|[<>]=?|=|[(),\s]|\[\]|256)*$/u;
  fc.assert(
    fc.property(filter, (json) => {
      expect(compileFilter(parse(json), createParameters()).replaceAll("'{}'", '')).not.toMatch(
        /'(?!number'|string'|boolean')[^)= ]/,
      );
      expect(compileFilter(parse(json), createParameters(), allIndexes)).toMatch(words);
    }),
    { numRuns: 500 },
  );
});

test('filters of one shape share a statement, whatever their keys and values, and so do lists of similar lengths', () => {
  const sql = (json: unknown) => compileFilter(parse(json), createParameters());
  expect(sql({ year: { $gte: 2020 } })).toBe(sql({ "'": { $gte: -1 } }));
  expect(sql({ a: { b: { $lt: 'x' } } })).toBe(sql({ c: { d: { $lt: "y'" } } }));
  expect(sql({ a: 1, b: [2] })).toBe(sql({ c: { d: 'e' } }));
  // The order must not depend on the collation of the database.
  expect(sql({ a: { $gt: 'x' } })).toContain('collate "C"');
  const list = (length: number) => ({ a: { $in: Array.from({ length }, (_, i) => i) } });
  expect(sql(list(5))).toBe(sql(list(8)));
  expect(sql(list(17))).toBe(sql(list(256)));
  expect(new Set(Array.from({ length: 256 }, (_, i) => sql(list(i + 1)))).size).toBe(6);
});

test('a field that could break out of its literal cannot be an index', () => {
  for (const field of ["a'b", 'a"b', 'a b', '', 'a..b', 'a\\', '$1']) {
    expect(() => indexedValue({ field, type: 'text' })).toThrow(TypeError);
  }
});

function filters(open: () => Promise<{ pool: Pool } & AsyncDisposable>, runs: number): void {
  let opened: Awaited<ReturnType<typeof open>>;
  let pool: Pool;
  beforeAll(async () => {
    opened = await open();
    pool = opened.pool;
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());

  test('the database finds what the meaning of the filter says, with and without indexes declared', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(metadata, { minLength: 8, maxLength: 24 }),
        filter,
        async (documents, json) => {
          const asked = parse(json);
          const expected = documents.map((document) => evaluateFilter(asked, document));
          expect(await matching(pool, asked, documents)).toEqual(expected);
          expect(await matching(pool, asked, documents, allIndexes)).toEqual(expected);
        },
      ),
      { numRuns: runs },
    );
  });

  test('every operator agrees on every pair of nasty values, with and without an index', async () => {
    const values: Json[] = [...texts, ...numbers, ...bigNumbers, true, false, null];
    const documents: Json[] = values.flatMap((a) => [{ a }, { 'a.b': a }, { a: { b: a } }]);
    const operands: Json[] = [...texts, ...numbers, ...dates.map(($date) => ({ $date }))];
    for (const than of operands) {
      for (const operator of ['$eq', '$gt', '$gte', '$lt', '$lte', '$in']) {
        const compared = { [operator]: operator === '$in' ? [than, than] : than };
        const asked = parse({ $or: [{ a: compared }, { a: { b: compared } }] });
        const dotted = parse({ $or: [{ 'a.b': compared }, { a: { b: compared } }] });
        for (const each of [asked, dotted]) {
          const expected = documents.map((document) => evaluateFilter(each, document));
          expect(await matching(pool, each, documents, allIndexes)).toEqual(expected);
        }
        expect(await matching(pool, asked, documents)).toEqual(
          documents.map((document) => evaluateFilter(asked, document)),
        );
      }
    }
  });

  test('what each operator says of values that are missing, null or of another type', async () => {
    const documents: Json[] = [
      {},
      { a: null },
      { a: 1 },
      { a: '1' },
      { a: [1] },
      { a: { b: 1 } },
      { a: true },
    ];
    const said = async (json: unknown) => {
      const found = await matching(pool, parse(json), documents);
      return documents.filter((_, i) => found[i]).map((document) => JSON.stringify(document).slice(1, -1));
    };
    expect(await said({ a: { $eq: 1 } })).toEqual(['"a":1']);
    expect(await said({ a: 1 })).toEqual(['"a":1']);
    expect(await said({ a: { $ne: 1 } })).toEqual([
      '',
      '"a":null',
      '"a":"1"',
      '"a":[1]',
      '"a":{"b":1}',
      '"a":true',
    ]);
    expect(await said({ a: { $nin: [1, '1', null] } })).toEqual(['', '"a":[1]', '"a":{"b":1}', '"a":true']);
    expect(await said({ a: { $gte: 0 } })).toEqual(['"a":1']);
    expect(await said({ a: { $gte: '' } })).toEqual(['"a":"1"']);
    expect(await said({ a: { $not: { $gte: 0 } } })).toHaveLength(6);
    expect(await said({ a: { $exists: true } })).toHaveLength(6);
    expect(await said({ a: { $exists: false } })).toEqual(['']);
    expect(await said({ a: null })).toEqual(['"a":null']);
    expect(await said({ a: [1] })).toEqual(['"a":[1]']);
    expect(await said({ a: { $eq: [1] } })).toEqual(['"a":[1]']);
    expect(await said({ a: { b: { $lt: 2 } } })).toEqual(['"a":{"b":1}']);
    expect(await said({ a: { $or: [{ b: 1 }, { $eq: true }] } })).toEqual(['"a":{"b":1}', '"a":true']);
  });
}

describeWithServices('postgres', 'filters in Postgres', () => filters(openPostgres, 400));
describe('filters in the embedded Postgres', () => filters(openEmbedded, 100));
