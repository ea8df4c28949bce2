import { describeWithServices, type RerankServer, startRerankServer } from '@sluice/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, createClient } from './support/client.ts';
import { type Mode, startSluice } from './support/running-service.ts';

const key = 'sk-of-the-re-ranker';

function reranking(mode: Mode, format: 'cohere' | 'tei'): void {
  let server: RerankServer;
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  let client: Client;
  beforeAll(async () => {
    server = await startRerankServer(format);
    sluice = await startSluice(mode, {
      RERANK_URL: server.url,
      RERANK_FORMAT: format,
      RERANK_MODEL: 'judge-1',
      RERANK_API_KEY: key,
      RERANK_TIMEOUT_MS: '2000',
      RERANK_CANDIDATES: '4',
    });
    client = createClient(sluice.url);
    for (const [name, text] of Object.entries({
      'one.txt': 'Otters live in rivers.',
      'two.txt': 'Otters eat fish. Fish, fish and more fish.',
      'three.txt': 'Badgers dig.',
    }))
      await client.upload(name, text);
  });
  afterAll(async () => {
    await sluice?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    server.fault = 'none';
    server.requests.length = 0;
  });

  const send = (body: unknown) =>
    fetch(`${sluice.url}/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const question = { query: 'where do otters live', k: 2 };
  const judged = { ...question, rerank: { query: 'fish' } };

  test('hits come in its order, with its scores beside those of the search', async () => {
    const { results, next_cursor, answer } = await client.query(judged);
    expect(results.map(({ document }) => document.name)[0]).toBe('two.txt');
    expect(results).toHaveLength(2);
    expect(results[0]).toMatchObject({ rerank_score: 3, score: expect.any(Number) });
    expect(next_cursor).toBeNull();
    expect(answer).toMatchObject({ degraded: [], timings: { rerank_ms: expect.any(Number) } });
    // All three were judged, although two were asked for.
    expect(server.requests).toMatchObject([{ query: 'fish', texts: { length: 3 } }]);
    const plain = await client.query({ ...question, rerank: true });
    expect(plain.results[0]?.rerank_score).toEqual(expect.any(Number));
    expect(server.requests[1]?.query).toBe(question.query);
    const few = await client.query({ ...judged, fields: ['ordinal'], filter: { no: 'such' } });
    expect(few.results).toEqual([]);
    expect(server.requests).toHaveLength(2);
  });

  test('nothing is judged that does not ask for it, and what cannot be judged is refused', async () => {
    const { results, answer } = await client.query(question);
    expect(results[0]).not.toHaveProperty('rerank_score');
    expect(answer.timings.rerank_ms).toBe(0);
    expect(server.requests).toEqual([]);
    for (const [body, path] of [
      [{ queries: [{ query: 'a' }], rerank: true }, '/rerank'],
      [{ vector: Array(384).fill(0.1), rerank: { candidates: 5 } }, '/rerank'],
      [{ query: 'a', rerank: true, cursor: 'x' }, '/cursor'],
      [{ query: 'a', rerank: { candidates: 0 } }, '/rerank'],
    ] as const) {
      const answer = await send(body);
      expect(answer.status, JSON.stringify(body)).toBe(400);
      expect(await answer.json()).toMatchObject({ errors: [{ path: expect.stringContaining(path) }] });
    }
  });

  test('several queries are judged by one text', async () => {
    const { results } = await client.query({
      queries: [{ query: 'badgers' }, { query: 'otters' }],
      rerank: { query: 'fish' },
      k: 1,
    });
    expect(results.map(({ document }) => document.name)).toEqual(['two.txt']);
  });

  test('where it fails, hits are in the order of the search, and the answer says so', async () => {
    const usual = await client.query(question);
    for (const fault of ['status 500', 'wrong index', 'cut off'] as const) {
      server.fault = fault;
      const answer = await send(judged);
      const text = await answer.text();
      expect(text).not.toContain(key);
      const body = JSON.parse(text);
      expect(body.results).toEqual(usual.results);
      expect(body.answer.degraded).toEqual([
        { code: 'rerank_skipped', detail: expect.stringMatching(/^re-ranking: /) },
      ]);
    }
    // After three failures it is not asked for a while.
    server.requests.length = 0;
    const { answer } = await client.query(judged);
    expect(answer.degraded[0]?.detail).toContain('left alone');
    expect(server.requests).toEqual([]);
  });
}

describe('re-ranking, in the embedded mode', () => reranking('embedded', 'tei'));
describeWithServices(['postgres', 'redis'], 're-ranking, with Postgres and Redis', () =>
  reranking('services', 'cohere'),
);
describe('without a re-ranker', () => {
  test('a query that asks for one is told what is missing', async () => {
    await using sluice = await startSluice('embedded');
    const answer = await fetch(`${sluice.url}/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'a', rerank: true }),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      code: 'rerank_not_configured',
      detail: expect.stringContaining('RERANK_URL'),
    });
  });
});
