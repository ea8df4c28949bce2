import type { AnswerBody, HitBody } from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, createClient, problemOf } from './support/client.ts';
import { type Mode, startSluice } from './support/running-service.ts';

const animals = ['otter', 'heron', 'badger', 'osprey', 'lynx'];

function queryOptions(mode: Mode): void {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  let client: Client;
  beforeAll(async () => {
    sluice = await startSluice(mode);
    client = createClient(sluice.url);
    for (const [i, animal] of animals.entries()) {
      const parts = Array.from({ length: 4 }, (_, part) =>
        `# ${animal} ${part}\n\nPart ${part} tells of the ${animal}. `.concat(`${animal} `.repeat(150)),
      );
      await client.upload(`${animal}.md`, parts.join('\n\n'), { metadata: JSON.stringify({ animal, i }) });
    }
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());

  const send = (body: unknown) =>
    fetch(`${sluice.url}/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const refused = async (body: unknown) => {
    const answer = await send(body);
    const { code, detail } = await problemOf(answer);
    return `${answer.status} ${code} ${detail}`;
  };
  const names = ({ results }: AnswerBody) => results.map(({ document }) => document.name);

  test('a hit has the parts that were asked for, its id and its score', async () => {
    const parts = async (fields?: string[]) => {
      const { results } = await client.query({ query: 'otter', k: 1, ...(fields && { fields }) });
      return results[0] as HitBody;
    };
    expect(Object.keys(await parts([])).sort()).toEqual(['chunk_id', 'score']);
    expect(Object.keys(await parts(['text', 'page'])).sort()).toEqual(['chunk_id', 'page', 'score', 'text']);
    expect(await parts(['metadata'])).toEqual({
      chunk_id: expect.any(String),
      score: expect.any(Number),
      document: { metadata: { animal: 'otter', i: 0 } },
    });
    expect(Object.keys((await parts(['document'])).document).sort()).toEqual([
      'external_id',
      'id',
      'name',
      'title',
    ]);
    expect(Object.keys(await parts())).toEqual(expect.arrayContaining(['text', 'document', 'heading_path']));
  });

  test('a vector is the same as numbers and as base64', async () => {
    const floats = Float32Array.from({ length: 384 }, (_, i) => Math.sin(i));
    const asNumbers = await client.query({ vector: [...floats], k: 3 });
    const asBase64 = await client.query({ vector: Buffer.from(floats.buffer).toString('base64'), k: 3 });
    expect(asBase64.results).toEqual(asNumbers.results);
    expect(asNumbers.results).toHaveLength(3);
  });

  test('a vector that is none is refused', async () => {
    const of = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer).toString('base64');
    expect(await refused({ vector: of(1, Number.NaN) })).toMatch(/^400 invalid_request \/vector: .*number 1/);
    expect(await refused({ vector: of(Number.POSITIVE_INFINITY) })).toMatch(/^400 invalid_request \/vector/);
    expect(await refused({ vector: '!!!!' })).toMatch(/^400 invalid_request \/vector: expected 1 to 4000/);
    expect(await refused({ vector: 'AAA=' })).toMatch(/^400 invalid_request \/vector/);
    expect(await refused({ vector: '' })).toMatch(/^400 invalid_request \/vector/);
    expect(await refused({ vector: [] })).toMatch(/^400 invalid_request \/vector/);
    expect(await refused({ vector: [1, '2'] })).toMatch(/^400 invalid_request \/vector\/1/);
    expect(await refused({ vector: [1, null] })).toMatch(/^400 invalid_request \/vector\/1/);
    expect(await refused({ vector: [1e39] })).toMatch(/^400 invalid_request \/vector\/0/);
    expect(await refused('{"vector": [1e400]}')).toMatch(/^400 invalid_request \/vector\/0/);
    expect(await refused({ vector: of(1, 2) })).toMatch(/^400 wrong_vector_length/);
  });

  test('few hits of a document, of a score at least, and with what stands around them', async () => {
    const spread = await client.query({ query: 'part 2 tells of the heron', k: 5, max_per_document: 1 });
    expect(new Set(names(spread)).size).toBe(5);
    expect(names(spread)[0]).toBe('heron.md');
    const score_threshold = spread.results[1]?.score as number;
    expect(
      (await client.query({ query: 'part 2 tells of the heron', k: 5, max_per_document: 1, score_threshold }))
        .results,
    ).toHaveLength(2);
    const [hit] = (
      await client.query({ query: 'part 2 tells of the heron', k: 1, context: { before: 1, after: 5 } })
    ).results;
    const ordinals = (list: { ordinal: number }[] = []) =>
      list.map(({ ordinal }) => ordinal - (hit?.ordinal ?? 0));
    expect(ordinals(hit?.context?.before)).toEqual(hit?.ordinal ? [-1] : []);
    expect(ordinals(hit?.context?.after).every((step, i) => step === i + 1)).toBe(true);
    expect(hit?.context?.after.length).toBeGreaterThan(0);
  });

  test('several queries and several collections are answered as one', async () => {
    expect(
      (
        await fetch(`${sluice.url}/v1/collections`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"name":"more"}',
        })
      ).status,
    ).toBe(201);
    await client.upload('stork.md', 'The stork stands on the roof.', { collection: 'more' });
    const queries = [{ query: 'lynx' }, { query: 'badger' }];
    const fused = await client.query({ queries, k: 4 });
    const lists = await Promise.all(
      queries.map(async (one) => (await client.query({ ...one, k: 100 })).results),
    );
    for (const { chunk_id, score } of fused.results) {
      const places = lists.map((list) => list.findIndex((hit) => hit.chunk_id === chunk_id) + 1);
      expect(score).toBeCloseTo(
        places.reduce((sum, place) => sum + 1 / (60 + place), 0),
        10,
      );
    }
    expect(fused.answer.searches).toHaveLength(2);
    const both = await client.query({
      query: 'the stork on the roof',
      collections: ['default', 'more'],
      k: 3,
    });
    expect(both.results[0]).toMatchObject({ collection: 'more', document: { name: 'stork.md' } });
    expect(both.results[1]).toMatchObject({ collection: 'default' });
    expect(both.answer.searches?.map(({ collection }) => collection)).toEqual(['default', 'more']);
    const l2 = { name: 'far', distance: 'l2' };
    await fetch(`${sluice.url}/v1/collections`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(l2),
    });
    expect(await refused({ query: 'x', collections: ['default', 'far'] })).toMatch(
      /^400 collections_differ .*cosine and l2/,
    );
    expect(await refused({ query: 'x', collections: ['default', 'nowhere'] })).toMatch(
      /^404 collection_not_found/,
    );
    expect(await refused({ query: 'x', collections: ['more', 'more'] })).toMatch(
      /^400 invalid_request \/collections/,
    );
    expect(await refused({ query: 'x', queries: [{ query: 'y' }] })).toMatch(
      /^400 invalid_request .*exactly one/,
    );
    expect(await refused({ queries: [{ query: 'y', vector: [1] }] })).toMatch(
      /^400 invalid_request \/queries\/0/,
    );
  });

  test('pages have each hit once; a write ends them', async () => {
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const page: AnswerBody = await client.query({ query: 'otter', k: 6, ...(cursor && { cursor }) });
      ids.push(...page.results.map(({ chunk_id }) => chunk_id));
      cursor = page.next_cursor;
    } while (cursor);
    const { results } = await client.query({ query: 'otter', k: 200 });
    expect(ids).toEqual(results.map(({ chunk_id }) => chunk_id));
    const { next_cursor } = await client.query({ query: 'otter', k: 6 });
    expect(await refused({ query: 'heron', k: 6, cursor: next_cursor })).toMatch(
      /^400 invalid_request \/cursor/,
    );
    expect(await refused({ query: 'otter', k: 6, cursor: 'nonsense' })).toMatch(
      /^400 invalid_request \/cursor/,
    );
    await client.upload('new.txt', 'A new otter.');
    expect(await refused({ query: 'otter', k: 6, cursor: next_cursor })).toMatch(/^409 cursor_expired/);
  });

  test('an explanation says what was done', async () => {
    const { answer } = await client.query({ query: 'otter', filter: { i: { $gte: 3 } }, explain: true });
    expect(answer.searches).toMatchObject([
      {
        collection: 'default',
        index: answer.index,
        explanation: { statements: 1, timings: { search_ms: expect.any(Number) } },
      },
    ]);
    expect(answer.searches?.[0]?.explanation?.plan.join('\n')).toContain('jsonb_typeof');
  });
}

describe('the options of a query in the embedded mode', () => queryOptions('embedded'));
describeWithServices(['postgres', 'redis'], 'the options of a query with Postgres and Redis', () =>
  queryOptions('services'),
);
