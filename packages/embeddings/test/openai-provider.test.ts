import { startEmbeddingsServer } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createOpenAiProvider, EmbeddingError, type OpenAiProviderOptions } from '../src/index.ts';

const purpose = 'document';

function provider(baseUrl: string, options: Partial<OpenAiProviderOptions> = {}) {
  return createOpenAiProvider({
    apiKey: 'sk-secret',
    baseUrl,
    model: 'm',
    dimensions: 8,
    timeoutMs: 5000,
    ...options,
  });
}

async function failure(promise: Promise<unknown>): Promise<EmbeddingError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EmbeddingError);
  return error as EmbeddingError;
}

test('asks for base64 and returns one vector per text, bit for bit', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const texts = ['đấu thầu qua mạng', 'bid security', ''];
  const vectors = await provider(server.baseUrl).embed(texts, { purpose });
  expect(vectors).toEqual(['đấu thầu qua mạng', 'bid security', ' '].map((text) => server.vectorOf(text)));
  expect(server.requests).toMatchObject([
    { encodingFormat: 'base64', model: 'm', authorization: 'Bearer sk-secret', dimensions: undefined },
  ]);
});

test('understands a server that answers JSON numbers although base64 was asked for', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8, floatsOnly: true });
  expect(await provider(server.baseUrl).embed(['a'], { purpose })).toEqual([server.vectorOf('a')]);
});

test('asks for JSON numbers where told to', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const floats = provider(server.baseUrl, { encodingFormat: 'float' });
  expect(await floats.embed(['a'], { purpose })).toEqual([server.vectorOf('a')]);
  expect(server.requests[0]?.encodingFormat).toBe('float');
});

test('sends the dimensions to the models that take them, or as told', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 1536 });
  const options = { dimensions: 8, model: 'text-embedding-3-small' };
  const [vector] = await provider(server.baseUrl, options).embed(['a'], { purpose });
  expect(vector).toHaveLength(8);
  const told = provider(server.baseUrl, { ...options, sendDimensions: false });
  expect((await failure(told.embed(['a'], { purpose }))).code).toBe('wrong_dimensions');
  expect(server.requests.map((request) => request.dimensions)).toEqual([8, undefined]);
});

test('puts the prefix of the purpose before each text', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const e5 = provider(server.baseUrl, { prefixes: { query: 'query: ', document: 'passage: ' } });
  await e5.embed(['a'], { purpose: 'query' });
  await e5.embed(['a'], { purpose: 'document' });
  expect(server.requests.map((request) => request.texts)).toEqual([['query: a'], ['passage: a']]);
});

test('sends no Authorization header without a key', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  await provider(server.baseUrl, { apiKey: '' }).embed(['a'], { purpose });
  expect(server.requests[0]?.authorization).toBeUndefined();
});

test('sends a lone surrogate as the replacement character', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  await provider(server.baseUrl).embed(['a\ud800b'], { purpose });
  expect(server.requests[0]?.texts).toEqual(['a\ufffdb']);
});

test('orders the vectors by index, not by position', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext({ kind: 'reordered' });
  const texts = ['a', 'b', 'c'];
  expect(await provider(server.baseUrl).embed(texts, { purpose })).toEqual(
    texts.map((text) => server.vectorOf(text)),
  );
});

test('asks nothing for no texts', async () => {
  await using server = await startEmbeddingsServer();
  expect(await provider(server.baseUrl).embed([], { purpose })).toEqual([]);
  expect(server.requests).toHaveLength(0);
});

test.each([
  [
    { kind: 'wrong_dimensions', dimensions: 5 },
    { code: 'wrong_dimensions', retryable: false },
  ],
  [
    { kind: 'nan', index: 1 },
    { code: 'invalid_vector', retryable: true, textIndex: 1 },
  ],
  [{ kind: 'missing' }, { code: 'short_answer', retryable: true }],
  [{ kind: 'cut' }, { code: 'provider_unavailable', retryable: true }],
  [{ kind: 'refuse' }, { code: 'provider_unavailable', retryable: true }],
  [{ kind: 'body', body: '<html>', contentType: 'text/html' }, { code: 'invalid_answer' }],
  [{ kind: 'body', body: '{"data": [' }, { code: 'invalid_answer' }],
  [{ kind: 'body', body: '{"data": [{"index": 7, "embedding": [1]}]}' }, { code: 'invalid_answer' }],
  [{ kind: 'body', body: '{"data": [{"index": 0, "embedding": "AAA="}]}' }, { code: 'invalid_answer' }],
  [
    { kind: 'status', status: 400 },
    { code: 'provider_rejected', retryable: false, status: 400 },
  ],
  [
    { kind: 'status', status: 404 },
    { code: 'provider_rejected', retryable: false, status: 404 },
  ],
  [
    { kind: 'status', status: 401 },
    { code: 'authentication_failed', retryable: false },
  ],
  [
    { kind: 'status', status: 403 },
    { code: 'authentication_failed', retryable: false },
  ],
  [
    { kind: 'status', status: 429, retryAfter: '3' },
    { code: 'rate_limited', retryAfterMs: 3000, retryable: true },
  ],
  [
    { kind: 'status', status: 429, code: 'insufficient_quota' },
    { code: 'quota_exceeded', retryable: false },
  ],
  [
    { kind: 'status', status: 500 },
    { code: 'provider_unavailable', status: 500, requestId: 'req_test' },
  ],
  [
    { kind: 'status', status: 503, retryAfter: '1.5' },
    { code: 'provider_unavailable', retryAfterMs: 1500 },
  ],
] as const)('%o becomes %o, after one request', async (fault, expected) => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext(fault);
  expect(await failure(provider(server.baseUrl).embed(['a', 'b'], { purpose }))).toMatchObject(expected);
  expect(server.requests).toHaveLength(1);
});

test('sees a NaN in JSON numbers, where it can only be written as null', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8, floatsOnly: true });
  server.failNext({ kind: 'nan', index: 0 });
  const error = await failure(provider(server.baseUrl).embed(['a'], { purpose }));
  expect(error).toMatchObject({ code: 'invalid_vector', textIndex: 0 });
});

test('a Retry-After with a date counts from now', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext({ kind: 'status', status: 429, retryAfter: new Date(Date.now() + 30_000).toUTCString() });
  const { retryAfterMs } = await failure(provider(server.baseUrl).embed(['a'], { purpose }));
  expect(retryAfterMs).toBeGreaterThan(20_000);
  expect(retryAfterMs).toBeLessThanOrEqual(30_000);
});

test.each([{ kind: 'slow', ms: 2000 }, { kind: 'stall' }] as const)(
  '%o is given up after the time limit',
  async (fault) => {
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    server.failNext(fault);
    const error = await failure(provider(server.baseUrl, { timeoutMs: 100 }).embed(['a'], { purpose }));
    expect(error).toMatchObject({ code: 'provider_timeout', retryable: true });
  },
);

test('names the reason when nobody listens', async () => {
  const server = await startEmbeddingsServer();
  await server.close();
  const error = await failure(provider(server.baseUrl).embed(['a'], { purpose }));
  expect(error.code).toBe('provider_unavailable');
  expect(error.message).toContain('ECONNREFUSED');
});

test('never shows the key, not even where the endpoint quotes it', async () => {
  await using server = await startEmbeddingsServer({ apiKey: 'another' });
  const error = await failure(provider(server.baseUrl).embed(['a'], { purpose }));
  expect(error.code).toBe('authentication_failed');
  expect(error.message).toContain('[key]');
  expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('sk-secret');
});

test('an abort cancels the request at the server and rejects with the reason', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  server.failNext({ kind: 'stall' });
  const controller = new AbortController();
  const embedding = provider(server.baseUrl).embed(['a'], { purpose, signal: controller.signal });
  await expect.poll(() => server.requests.length).toBe(1);
  const reason = new Error('changed my mind');
  controller.abort(reason);
  await expect(embedding).rejects.toBe(reason);
  await expect.poll(() => server.requests[0]?.aborted).toBe(true);
});
