import { startEmbeddingsServer } from '@sluice/testing';
import { expect, test } from 'vitest';
import type { EmbeddingRequestReport } from '../src/index.ts';
import { document, numbered, query, setUp } from './support/embedder.ts';

test('texts of several callers share one request, and each caller gets its own vectors in order', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const embedder = setUp(server.baseUrl);
  const calls = [numbered(3, 'a'), numbered(1, 'b'), numbered(4, 'c')];
  const answers = await Promise.all(calls.map((texts) => embedder.embed(texts, document)));
  expect(answers).toEqual(calls.map((texts) => texts.map((text) => server.vectorOf(text))));
  expect(server.requests.map((request) => request.texts)).toEqual([calls.flat()]);
});

test('documents that come in within the window share a request', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const embedder = setUp(server.baseUrl, { maxWaitMs: 400 });
  const first = embedder.embed(['a'], document);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await Promise.all([first, embedder.embed(['b'], document)]);
  expect(server.requests.map((request) => request.texts)).toEqual([['a', 'b']]);
});

test('a full request does not wait for the window', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const embedder = setUp(server.baseUrl, { maxTexts: 4, maxWaitMs: 60_000 });
  await embedder.embed(numbered(8), document);
  expect(server.requests.map((request) => request.texts.length)).toEqual([4, 4]);
});

test('tokens bound a request as well as texts, and a text over the bound goes alone', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const embedder = setUp(server.baseUrl, { maxTokens: 10, concurrency: 1 });
  await embedder.embed(numbered(5), { ...document, tokens: [4, 6, 1, 50, 2] });
  expect(server.requests.map((request) => request.texts)).toEqual([
    ['text 0', 'text 1'],
    ['text 2'],
    ['text 3'],
    ['text 4'],
  ]);
});

test('a query overtakes the documents in line and does not wait for the window', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8, latencyMs: 150 });
  const embedder = setUp(server.baseUrl, { maxTexts: 2, concurrency: 1, maxWaitMs: 60_000 });
  const documents = embedder.embed(numbered(4), document);
  await expect.poll(() => server.requests.length, { interval: 5 }).toBe(1);
  await embedder.embed(['question'], query);
  expect(server.requests[1]?.texts).toEqual(['question']);
  await documents;
});

test('never has more requests under way than allowed', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8, latencyMs: 20 });
  const embedder = setUp(server.baseUrl, { maxTexts: 1, concurrency: 3 });
  await embedder.embed(numbered(12), document);
  expect(Math.max(...server.requests.map((request) => request.concurrent))).toBe(3);
});

test('no texts are no request', async () => {
  await using server = await startEmbeddingsServer();
  expect(await setUp(server.baseUrl).embed([], document)).toEqual([]);
  expect(server.requests).toHaveLength(0);
});

test.each([
  { kind: 'status', status: 500 },
  { kind: 'status', status: 429 },
  { kind: 'cut' },
  { kind: 'refuse' },
  { kind: 'missing' },
  { kind: 'nan', index: 2 },
  { kind: 'body', body: '{' },
] as const)('comes through %o once', async (fault) => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext(fault);
  const texts = numbered(5);
  const vectors = await setUp(server.baseUrl).embed(texts, document);
  expect(vectors).toEqual(texts.map((text) => server.vectorOf(text)));
});

test('comes through a request that timed out', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext({ kind: 'stall' });
  const embedder = setUp(server.baseUrl, {}, { timeoutMs: 100 });
  expect(await embedder.embed(['a'], document)).toEqual([server.vectorOf('a')]);
});

test('gives up a transient failure after so many retries and hands the cause over', async () => {
  await using server = await startEmbeddingsServer();
  server.failWhen(() => ({ kind: 'status', status: 503 }));
  await expect(setUp(server.baseUrl, { retries: 2 }).embed(['a', 'b'], document)).rejects.toMatchObject({
    name: 'EmbeddingError',
    code: 'provider_unavailable',
    status: 503,
    retryable: true,
  });
  expect(server.requests).toHaveLength(3);
});

test.each([
  [{ kind: 'status', status: 401 }, 'authentication_failed'],
  [{ kind: 'status', status: 404 }, 'provider_rejected'],
  [{ kind: 'status', status: 429, code: 'insufficient_quota' }, 'quota_exceeded'],
  [{ kind: 'wrong_dimensions', dimensions: 3 }, 'wrong_dimensions'],
] as const)('does not repeat a request after %o', async (fault, code) => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failWhen(() => fault);
  await expect(setUp(server.baseUrl).embed(numbered(5), document)).rejects.toMatchObject({
    code,
    retryable: false,
  });
  expect(server.requests).toHaveLength(1);
});

test('Retry-After holds back every request, not only the one that was refused', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext({ kind: 'status', status: 429, retryAfter: '0.6' });
  const embedder = setUp(server.baseUrl, { maxWaitMs: 0 });
  const first = embedder.embed(['first'], document);
  await expect.poll(() => server.requests.length).toBe(1);
  const refusedAt = server.requests[0]!.receivedAt;
  // Until the answer is back the embedder cannot know.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await Promise.all([first, embedder.embed(['second'], query)]);
  for (const request of server.requests.slice(1))
    expect(request.receivedAt - refusedAt).toBeGreaterThanOrEqual(590);
});

test('a wait longer than allowed is left to the caller', async () => {
  await using server = await startEmbeddingsServer();
  server.failNext({ kind: 'status', status: 429, retryAfter: '7200' });
  await expect(setUp(server.baseUrl).embed(['a'], document)).rejects.toMatchObject({
    code: 'rate_limited',
    retryable: true,
    retryAfterMs: 7_200_000,
  });
  expect(server.requests).toHaveLength(1);
});

test('a text that the provider refuses fails its own caller only, and says which text it was', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failWhen((texts) => (texts.includes('poison') ? { kind: 'status', status: 400 } : undefined));
  const embedder = setUp(server.baseUrl);
  const innocent = [numbered(20, 'a'), numbered(20, 'b')];
  const answers = innocent.map((texts) => embedder.embed(texts, document));
  const guilty = embedder.embed(['fine', 'also fine', 'poison'], document);
  await expect(guilty).rejects.toMatchObject({ code: 'provider_rejected', textIndex: 2 });
  expect(await Promise.all(answers)).toEqual(
    innocent.map((texts) => texts.map((text) => server.vectorOf(text))),
  );
  expect(server.requests.length).toBeLessThan(16);
});

test('a text whose vector is never valid fails its own caller only', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failWhen((texts) =>
    texts.includes('poison') ? { kind: 'nan', index: texts.indexOf('poison') } : undefined,
  );
  const embedder = setUp(server.baseUrl, { retries: 1 });
  const innocent = embedder.embed(['a', 'b'], document);
  const guilty = embedder.embed(['fine', 'poison'], document);
  await expect(guilty).rejects.toMatchObject({ code: 'invalid_vector', textIndex: 1 });
  expect(await innocent).toEqual([server.vectorOf('a'), server.vectorOf('b')]);
});

test('a request that was too large for the provider goes again in parts', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8, maxTexts: 3 });
  const texts = numbered(10);
  expect(await setUp(server.baseUrl).embed(texts, document)).toEqual(
    texts.map((text) => server.vectorOf(text)),
  );
});

test('the halves of a refused request take no other texts along', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failWhen((texts) => (texts.includes('text 0') ? { kind: 'status', status: 400 } : undefined));
  const embedder = setUp(server.baseUrl, { maxTexts: 4, concurrency: 1 });
  const guilty = embedder.embed(numbered(4), document);
  const innocent = embedder.embed(numbered(8, 'innocent'), document);
  await expect(guilty).rejects.toMatchObject({ code: 'provider_rejected', textIndex: 0 });
  await innocent;
  expect(server.requests.slice(0, 3).map((request) => request.texts)).toEqual([
    ['text 0', 'text 1', 'text 2', 'text 3'],
    ['text 0', 'text 1'],
    ['text 2', 'text 3'],
  ]);
});

test('one caller who cancels a shared request leaves the others their vectors', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8, latencyMs: 100 });
  const embedder = setUp(server.baseUrl, { maxWaitMs: 0 });
  const controller = new AbortController();
  const cancelled = embedder.embed(['a', 'b'], { ...document, signal: controller.signal });
  const kept = embedder.embed(['c'], document);
  await expect.poll(() => server.requests.length).toBe(1);
  const reason = new Error('upload deleted');
  controller.abort(reason);
  await expect(cancelled).rejects.toBe(reason);
  expect(await kept).toEqual([server.vectorOf('c')]);
  expect(server.requests).toMatchObject([{ texts: ['a', 'b', 'c'], aborted: false }]);
});

test('a request that nobody waits for any more is cancelled, and its slot is free again', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext({ kind: 'stall' });
  const embedder = setUp(server.baseUrl, { concurrency: 1, maxWaitMs: 0 });
  const controllers = [new AbortController(), new AbortController()];
  const calls = controllers.map(({ signal }, index) => embedder.embed([`${index}`], { ...document, signal }));
  const settled = Promise.allSettled(calls);
  await expect.poll(() => server.requests.length).toBe(1);
  for (const controller of controllers) controller.abort();
  expect((await settled).map((result) => result.status)).toEqual(['rejected', 'rejected']);
  expect(await embedder.embed(['next'], document)).toEqual([server.vectorOf('next')]);
  expect(server.requests[0]?.aborted).toBe(true);
});

test('texts cancelled while they wait are never sent', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const embedder = setUp(server.baseUrl, { maxWaitMs: 50 });
  const controller = new AbortController();
  const cancelled = embedder.embed(['gone'], { ...document, signal: controller.signal });
  const kept = embedder.embed(['stays'], document);
  controller.abort();
  await expect(cancelled).rejects.toThrow('aborted');
  await kept;
  expect(server.requests.map((request) => request.texts)).toEqual([['stays']]);
});

test('a signal aborted beforehand sends nothing', async () => {
  await using server = await startEmbeddingsServer();
  const reason = new Error('too late');
  const call = setUp(server.baseUrl).embed(['a'], { ...document, signal: AbortSignal.abort(reason) });
  await expect(call).rejects.toBe(reason);
  expect(server.requests).toHaveLength(0);
});

test('close settles who waits, cancels what is under way and refuses what comes later', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext({ kind: 'stall' });
  const embedder = setUp(server.baseUrl, { concurrency: 1, maxWaitMs: 0 });
  const underWay = embedder.embed(['a'], query);
  await expect.poll(() => server.requests.length).toBe(1);
  const results = Promise.allSettled([underWay, embedder.embed(['b'], document)]);
  await embedder.close();
  for (const result of await results)
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'closed' } });
  await expect(embedder.embed(['c'], document)).rejects.toMatchObject({ code: 'closed', retryable: true });
  await expect.poll(() => server.requests[0]?.aborted).toBe(true);
  expect(server.requests).toHaveLength(1);
});

test('keeps requests and tokens of a minute under the limits', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const embedder = setUp(server.baseUrl, { tokensPerMinute: 100, maxWaitMs: 0 });
  await embedder.embed(['a', 'b'], { ...document, tokens: [60, 40] });
  const tooMuch = embedder.embed(['c'], { ...document, tokens: [1] });
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(server.requests).toHaveLength(1);
  await Promise.all([expect(tooMuch).rejects.toMatchObject({ code: 'closed' }), embedder.close()]);
});

test('reports every request with its size, its time and its failure', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext({ kind: 'status', status: 500 });
  const reports: EmbeddingRequestReport[] = [];
  const embedder = setUp(server.baseUrl, { onRequest: (report) => void reports.push(report) });
  await embedder.embed(['a', 'b'], { ...document, tokens: [3, 4] });
  expect(reports).toMatchObject([
    { texts: 2, tokens: 7, error: { code: 'provider_unavailable' } },
    { texts: 2, tokens: 7, error: undefined },
  ]);
  for (const { durationMs } of reports) expect(durationMs).toBeGreaterThan(0);
});
