import { expect, test } from 'vitest';
import {
  newCollectionSchema,
  openApiDocument,
  problemCodes,
  querySchema,
  uploadOptionsSchema,
} from '../src/index.ts';

function issues(result: {
  success: boolean;
  error?: { issues: { path: PropertyKey[]; message: string }[] };
}): string {
  return (result.error?.issues ?? []).map((issue) => `${issue.path.join('/')}: ${issue.message}`).join('\n');
}

test('a query has exactly one of text and vector', () => {
  expect(querySchema.safeParse({ query: 'x' }).success).toBe(true);
  expect(issues(querySchema.safeParse({}))).toContain('exactly one of query, vector and queries');
  expect(issues(querySchema.safeParse({ query: 'x', vector: [1] }))).toContain(
    'exactly one of query, vector and queries',
  );
  expect(issues(querySchema.safeParse({ query: ' \n\0' }))).toContain(
    'query: expected at least one character',
  );
});

test('k is 1 to 200 and an unknown member is named', () => {
  expect(issues(querySchema.safeParse({ query: 'x', k: 0 }))).toMatch(/^k: /);
  expect(issues(querySchema.safeParse({ query: 'x', k: 201 }))).toMatch(/^k: /);
  expect(querySchema.safeParse({ query: 'x', k: 200 }).success).toBe(true);
  expect(issues(querySchema.safeParse({ query: 'x', topk: 3 }))).toContain('topk');
});

test('metadata is a JSON object of at most 64 KiB that Postgres can store', () => {
  const parse = (metadata: unknown) => issues(uploadOptionsSchema.safeParse({ metadata }));
  expect(parse({ a: [1, { b: null }] })).toBe('');
  expect(parse([1])).toContain('metadata: expected a JSON object');
  expect(parse('x')).toContain('metadata: expected a JSON object');
  expect(parse(null)).toContain('metadata: expected a JSON object');
  expect(parse({ a: 'x'.repeat(65_536) })).toContain('at most 65536');
  expect(parse({ a: 'x\0y' })).toContain('NUL');
  expect(parse({ a: '\ud800' })).toContain('surrogate');
  expect(parse(JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`))).toContain('deeper');
});

test('the overlap of chunks is at most half of them', () => {
  const chunking = { max_tokens: 100, overlap_tokens: 51 };
  expect(issues(newCollectionSchema.safeParse({ name: 'x', chunking }))).toContain('chunking/overlap_tokens');
});

test('a collection name is a plain identifier', () => {
  expect(newCollectionSchema.safeParse({ name: 'legal-2025' }).success).toBe(true);
  for (const name of ['', 'A', '-a', 'a'.repeat(64), 'a b', "a';--"]) {
    expect(newCollectionSchema.safeParse({ name }).success).toBe(false);
  }
});

test('the OpenAPI document is 3.1, every operation has an id, and every reference leads somewhere', () => {
  const document = openApiDocument('1.2.3');
  expect(document.openapi).toMatch(/^3\.1/);
  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
    expect(document.components?.schemas).toHaveProperty([name as string]);
  }
  const operations = Object.values(document.paths ?? {}).flatMap((path) => Object.values(path as object));
  const ids = operations.map((operation) => operation.operationId);
  expect(ids).not.toContain(undefined);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every problem code has a status and a meaning', () => {
  for (const [status, meaning] of Object.values(problemCodes)) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(meaning.length).toBeGreaterThan(10);
  }
});

test('a filter that makes no sense is refused where it makes none', () => {
  const parse = (filter: unknown) => issues(querySchema.safeParse({ query: 'x', filter }));
  const json = (text: string) => JSON.parse(text) as unknown;
  expect(parse([1])).toContain('filter: expected a JSON object');
  expect(parse({ year: { $gtt: 1 } })).toMatch(/^filter\/year\/\$gtt: unknown operator.*\$\$gtt$/);
  expect(parse({ constructor: { $toString: 1 } })).toContain(
    'filter/constructor/$toString: unknown operator',
  );
  expect(parse({ $gte: 1 })).toContain('filter/$gte: $gte stands below the key');
  expect(parse({ a: { b: { $lt: [1] } } })).toContain('filter/a/b/$lt: expected a number, a string');
  expect(parse({ a: { $gt: null } })).toContain('filter/a/$gt: expected a number, a string');
  expect(parse({ a: [{ $gt: 1 }] })).toContain('filter/a/0/$gt: an operator cannot stand inside');
  expect(parse({ a: { $in: [] } })).toContain('filter/a/$in: expected an array of 1 to 256');
  expect(parse({ a: { $in: 'x' } })).toContain('filter/a/$in: expected an array');
  expect(parse({ $or: [{ a: 1 }, 5] })).toContain('filter/$or/1: expected a JSON object');
  expect(parse({ $and: {} })).toContain('filter/$and: expected an array');
  expect(parse({ a: { $exists: 1 } })).toContain('filter/a/$exists: expected true or false');
  for (const $date of ['2021-02-29', '2021-2-1', '2021-01-01T00:00:00', 'now', '', 5]) {
    expect(parse({ a: { $lt: { $date } } })).toContain('filter/a/$lt: expected {"$date"');
  }
  expect(parse({ a: { $lt: { $date: '2021-01-01', b: 1 } } })).toContain('filter/a/$lt: expected {"$date"');
  expect(parse({ a: { $eq: 'x\0' } })).toContain('filter/a/$eq: contains a NUL');
  expect(parse({ 'a\0': { $eq: 'x' } })).toContain('contains a NUL');
  expect(parse({ a: ['\ud800'] })).toContain('filter/a/0: contains half of a surrogate');
  expect(parse(json('{"a":{"$lt":1e999}}'))).toContain('filter/a/$lt: is a number beyond');
  expect(parse(json('{"a":[1e999]}'))).toContain('filter/a/0: is a number beyond');
});

test('a filter has limits: comparisons, levels, bytes', () => {
  const parse = (filter: unknown) => issues(querySchema.safeParse({ query: 'x', filter }));
  const terms = (n: number) => ({
    $or: [{ $and: Array.from({ length: n - 1 }, (_, i) => ({ a: { $gt: i } })) }, { b: 1 }],
  });
  expect(parse(terms(64))).toBe('');
  expect(parse(terms(65))).toContain('filter/$or/1: the filter has more than 64 comparisons');
  const deep = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`) as unknown;
  expect(parse(deep(16))).toBe('');
  expect(parse(deep(17))).toContain('filter: is nested deeper than 16 levels');
  expect(parse(deep(100_000))).toContain('filter: is nested deeper than 16 levels');
  expect(parse({ a: 'x'.repeat(65_536) })).toContain('at most 65536');
});

test('a filter without operators is containment, and a doubled $ is a key', () => {
  const parse = (filter: unknown) => querySchema.parse({ query: 'x', filter }).filter;
  expect(parse(undefined)).toBeUndefined();
  expect(parse({ b: [{ c: null }], a: 1 })).toEqual({ op: 'contains', value: { a: 1, b: [{ c: null }] } });
  expect(parse({ $$eq: 1, a: { $$$b: [{ $$c: 2 }] } })).toEqual({
    op: 'contains',
    value: { $eq: 1, a: { $$b: [{ $c: 2 }] } },
  });
  expect(parse({ a: { b: { $ne: 1 }, c: 2 } })).toEqual({
    op: 'and',
    filters: [
      { op: 'contains', value: { a: { c: 2 } } },
      { op: 'not', filter: { op: 'eq', path: ['a', 'b'], operand: { type: 'number', value: 1 } } },
    ],
  });
  // The same filter with its members in another order is the same.
  expect(JSON.stringify(parse({ b: { $gt: 1 }, a: { $lt: 2 } }))).toBe(
    JSON.stringify(parse({ a: { $lt: 2 }, b: { $gt: 1 } })),
  );
});

test('a vector is numbers or base64 of floats, all of them finite', () => {
  const parse = (vector: unknown) => querySchema.safeParse({ vector });
  const floats = Float32Array.of(1, -2.5, 1e-7);
  expect(parse([...floats]).data?.vector).toEqual(floats);
  const bytes = Buffer.from(floats.buffer);
  expect(parse(bytes.toString('base64')).data?.vector).toEqual(floats);
  expect(parse(bytes.toString('base64').replaceAll('=', '')).data?.vector).toEqual(floats);
  expect(issues(parse(bytes.subarray(1).toString('base64')))).toContain('vector: expected 1 to 4000 numbers');
  expect(issues(parse([1, 1e39]))).toContain('vector/1: expected a finite number');
  expect(issues(parse(Array(4_001).fill(1)))).toContain('vector: expected 1 to 4000 numbers');
  expect(issues(parse({ length: 1 }))).toContain('vector: expected 1 to 4000 numbers');
});

test('the OpenAPI document asks for no more of a hit than every answer has', () => {
  const { components } = openApiDocument('1.2.3');
  expect(components?.schemas?.Hit).toMatchObject({ required: ['score', 'chunk_id'] });
});
