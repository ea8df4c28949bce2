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
  expect(issues(querySchema.safeParse({}))).toContain('exactly one of query and vector');
  expect(issues(querySchema.safeParse({ query: 'x', vector: [1] }))).toContain(
    'exactly one of query and vector',
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
