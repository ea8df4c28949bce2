import { startEmbeddingsServer } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createEmbedder, createOpenAiProvider, EmbeddingError } from '../src/index.ts';
import { durationMs, providerWaitMs } from '../src/provider-wait.ts';

const document = { purpose: 'document' } as const;

function setUp(baseUrl: string, concurrency = 1) {
  const provider = createOpenAiProvider({
    apiKey: 'k',
    baseUrl,
    model: 'm',
    dimensions: 8,
    timeoutMs: 5_000,
  });
  return createEmbedder(provider, { maxTexts: 1, maxWaitMs: 0, concurrency, retries: 3, firstRetryMs: 10 });
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `text ${index}`);
}

test.each([
  ['6m0s', 360_000],
  ['20ms', 20],
  ['1s', 1_000],
  ['1h2m3.5s', 3_723_500],
  ['8.64s', 8_640],
  ['250µs', 0.25],
  ['0s', 0],
  ['12', 12_000],
  ['0.5', 500],
  ['', undefined],
  ['s', undefined],
  ['-1s', undefined],
  ['1s later', undefined],
  ['1 s', undefined],
  ['Infinity', undefined],
  ['1e9', undefined],
])('the duration %o is %o ms', (text, expected) => {
  expect(durationMs(text)).toEqual(expected);
});

test('a duration of any length is read in time that grows with it', () => {
  const start = performance.now();
  expect(durationMs(`${'1'.repeat(50_000)}x`)).toBeUndefined();
  expect(durationMs(`${'1m'.repeat(50_000)}x`)).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(1_000);
});

test.each([
  [{}, undefined],
  [{ 'x-ratelimit-remaining-requests': '7', 'x-ratelimit-reset-requests': '1s' }, undefined],
  [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1s' }, 1_000],
  [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '6m0s' }, 360_000],
  [{ 'x-ratelimit-remaining-tokens': '-12', 'x-ratelimit-reset-tokens': '2s' }, 2_000],
  [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': 'soon' }, undefined],
  [{ 'x-ratelimit-remaining-tokens': '0' }, undefined],
  [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '9s', 'retry-after': '2' }, 2_000],
])('%o asks for a wait of %o ms', (headers, expected) => {
  expect(providerWaitMs(new Headers(headers as Record<string, string>))).toEqual(expected);
});

test.each([
  [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '500ms' }],
  [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '0.5s' }],
  [{ 'retry-after': '0.5' }],
])('after a good answer with %o nothing is sent until then', async (headers) => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext({ kind: 'headers', headers });
  const embedder = setUp(server.baseUrl, 4);
  expect(await embedder.embed(['a'], document)).toEqual([server.vectorOf('a')]);
  const answeredAt = Date.now();
  await embedder.embed(numbered(3), document);
  // The pause began before the answer was seen here.
  for (const { receivedAt } of server.requests.slice(1)) expect(receivedAt - answeredAt).toBeGreaterThan(400);
});

test('while a limit has something left, nobody waits for its reset', async () => {
  await using server = await startEmbeddingsServer({
    dimensions: 8,
    limits: { requests: 50, windowMs: 60_000 },
  });
  const start = performance.now();
  await setUp(server.baseUrl).embed(numbered(5), document);
  expect(performance.now() - start).toBeLessThan(5_000);
});

test('by the headers alone, without limits of its own, an embedder is never refused', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8, limits: { requests: 4, windowMs: 300 } });
  const refusals: EmbeddingError[] = [];
  const provider = createOpenAiProvider({
    ...{ apiKey: 'k', baseUrl: server.baseUrl, model: 'm', dimensions: 8, timeoutMs: 5_000 },
  });
  const embedder = createEmbedder(provider, {
    ...{ maxTexts: 1, maxWaitMs: 0, concurrency: 1, retries: 3 },
    onRequest: ({ error }) => void (error && refusals.push(error)),
  });
  const texts = numbered(12);
  expect(await embedder.embed(texts, document)).toEqual(texts.map((text) => server.vectorOf(text)));
  expect(refusals).toEqual([]);
});

test('a refusal without Retry-After waits until the limit that is used up is reset', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const headers = { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '400ms' };
  server.failNext({ kind: 'status', status: 429, headers });
  await setUp(server.baseUrl).embed(['a'], document);
  const [refused, again] = server.requests;
  expect((again?.receivedAt ?? 0) - (refused?.receivedAt ?? 0)).toBeGreaterThanOrEqual(390);
});

test('a reset that is too far away is left to the caller', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const headers = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' };
  server.failNext({ kind: 'status', status: 429, headers });
  const error = await setUp(server.baseUrl)
    .embed(['a'], document)
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EmbeddingError);
  expect(error).toMatchObject({ code: 'rate_limited', retryable: true, retryAfterMs: 360_000 });
});

test('Retry-After with a 503 holds back every request as well', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext({ kind: 'status', status: 503, retryAfter: '0.5' });
  const embedder = setUp(server.baseUrl, 4);
  const first = embedder.embed(['a'], document);
  await expect.poll(() => server.requests.length, { timeout: 20_000 }).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await Promise.all([first, embedder.embed(['b'], document)]);
  const [refused, ...later] = server.requests;
  expect(later).toHaveLength(2);
  for (const { receivedAt } of later)
    expect(receivedAt - (refused?.receivedAt ?? 0)).toBeGreaterThanOrEqual(490);
});
