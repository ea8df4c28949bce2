import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddingsServer } from '@sluice/testing';
import { describe, expect, test, vi } from 'vitest';
import { document, numbered, query, setUp } from './support/embedder.ts';

vi.setConfig({ testTimeout: 60_000 });
const patient = { timeout: 20_000, interval: 1 };

describe('one bad provider blocks no other (pgEdge/pgedge-vectorizer#78)', () => {
  test.each([
    { kind: 'stall' },
    { kind: 'cut' },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 429, retryAfter: '30' },
    { kind: 'status', status: 429 },
    { kind: 'nan', index: 0 },
  ] as const)('%o of one model costs the other neither slots nor pauses nor retries', async (fault) => {
    await using bad = await startEmbeddingsServer({ dimensions: 8 });
    await using good = await startEmbeddingsServer({ dimensions: 8 });
    bad.failWhen(() => fault);
    const badEmbedder = setUp(bad.baseUrl, { maxTexts: 1 });
    const held = Promise.allSettled(numbered(20).map((text) => badEmbedder.embed([text], document)));
    await expect.poll(() => bad.requests.length, patient).toBeGreaterThanOrEqual(4);
    const goodEmbedder = setUp(good.baseUrl, { maxTexts: 1 });
    const start = performance.now();
    const texts = numbered(40);
    expect(await goodEmbedder.embed(texts, document)).toEqual(texts.map((text) => good.vectorOf(text)));
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(good.requests).toHaveLength(40);
    await badEmbedder.close();
    await held;
  });

  test('a text that makes the provider answer 500 fails alone, after few requests', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    server.failWhen((texts) => (texts.includes('poison') ? { kind: 'status', status: 500 } : undefined));
    const embedder = setUp(server.baseUrl, { maxTexts: 64 });
    const innocent = [numbered(30, 'a'), numbered(30, 'b')];
    const answers = innocent.map((texts) => embedder.embed(texts, document));
    const guilty = embedder.embed(['fine', 'poison'], document);
    await expect(guilty).rejects.toMatchObject({ code: 'provider_unavailable', status: 500 });
    expect(await Promise.all(answers)).toEqual(
      innocent.map((texts) => texts.map((text) => server.vectorOf(text))),
    );
    // Twice all, two for each of six halvings, and the last tries of the one text.
    expect(server.requests.length).toBeLessThanOrEqual(20);
  });

  test('it fails alone as well where new texts come in all the time', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    server.failWhen((texts) => (texts.includes('poison') ? { kind: 'status', status: 500 } : undefined));
    const embedder = setUp(server.baseUrl, { maxTexts: 16, maxWaitMs: 0, concurrency: 2 });
    const guilty = embedder.embed(['poison'], document).catch((error: unknown) => error);
    const innocent: Promise<unknown>[] = [];
    for (const text of numbered(100)) {
      innocent.push(embedder.embed([text], document));
      await sleep(5);
    }
    expect(await guilty).toMatchObject({ code: 'provider_unavailable', status: 500 });
    expect(await Promise.all(innocent)).toHaveLength(100);
  });

  test('a request that is too large to be answered in time goes again in parts', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    server.failWhen((texts) => (texts.length > 8 ? { kind: 'slow', ms: 10_000 } : undefined));
    const texts = numbered(16);
    const embedder = setUp(server.baseUrl, {}, { timeoutMs: 1_500 });
    expect(await embedder.embed(texts, document)).toEqual(texts.map((text) => server.vectorOf(text)));
    expect(server.requests.map((request) => request.texts.length)).toEqual([16, 16, 8, 8]);
  });
});

describe('retries after a 429 keep batching (pgEdge/pgedge-vectorizer#69)', () => {
  test('a refused request goes again as one, with the texts that came meanwhile', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    server.failNext(...Array.from({ length: 3 }, () => ({ kind: 'status', status: 429 }) as const));
    const embedder = setUp(server.baseUrl, { concurrency: 1, firstRetryMs: 1_000 });
    const first = embedder.embed(numbered(50, 'a'), document);
    await expect.poll(() => server.requests.length, patient).toBe(1);
    await Promise.all([first, embedder.embed(numbered(50, 'b'), document)]);
    const sizes = server.requests.map((request) => request.texts.length);
    expect(sizes[0]).toBe(50);
    expect(sizes.at(-1)).toBe(100);
    expect(sizes).toHaveLength(4);
  });

  test('many small requests refused at once go again in one', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8, latencyMs: 2_000 });
    server.failNext(
      ...Array.from({ length: 8 }, () => ({ kind: 'status', status: 429, retryAfter: '0.5' }) as const),
    );
    const embedder = setUp(server.baseUrl, { concurrency: 8, maxWaitMs: 0 });
    const calls = [];
    for (const text of numbered(8)) {
      calls.push(embedder.embed([text], document));
      await expect.poll(() => server.requests.length, patient).toBe(calls.length);
    }
    await Promise.all(calls);
    expect(server.requests.slice(8).map(({ texts }) => texts.length)).toEqual([8]);
  });

  test('what goes again together stays within the limits of a request', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8, latencyMs: 2_000 });
    server.failNext(
      ...Array.from({ length: 6 }, () => ({ kind: 'status', status: 429, retryAfter: '0.5' }) as const),
    );
    const embedder = setUp(server.baseUrl, { concurrency: 6, maxWaitMs: 0, maxTexts: 5, maxTokens: 30 });
    const calls = [];
    for (const tokens of [10, 10, 25, 10, 5, 5]) {
      calls.push(embedder.embed([`text ${calls.length}`], { ...document, tokens: [tokens] }));
      await expect.poll(() => server.requests.length, patient).toBe(calls.length);
    }
    await Promise.all(calls);
    const again = server.requests.slice(6).map(({ texts }) => texts.map((text) => Number(text.slice(5))));
    expect(again.flat().sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(again).toHaveLength(3);
    for (const part of again) {
      const tokens = part.reduce((sum, index) => sum + ([10, 10, 25, 10, 5, 5][index] ?? 0), 0);
      expect(tokens).toBeLessThanOrEqual(30);
    }
  });
});

describe('a provider that keeps failing is left alone', () => {
  const away = { code: 'provider_unavailable', retryable: true, retryAfterMs: expect.any(Number) };

  test('calls then fail at once and say when to come back, and those that wait are let go', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    server.failWhen(() => ({ kind: 'status', status: 503 }));
    const embedder = setUp(server.baseUrl, { maxTexts: 1, retries: 2, coolDownMs: 60_000 });
    const calls = numbered(100).map((text) => embedder.embed([text], document));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'));
    expect(outcomes.at(-1)).toMatchObject({ reason: { ...away, status: 503 } });
    // Three rounds of four, where nothing is late.
    expect(server.requests.length).toBeLessThanOrEqual(24);

    const before = server.requests.length;
    const start = performance.now();
    await expect(embedder.embed(['later'], document)).rejects.toMatchObject(away);
    await expect(embedder.embed(['a question'], query)).rejects.toMatchObject(away);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(server.requests).toHaveLength(before);
  });

  test('a provider that answers nothing frees whoever waits for it, also those in its requests', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    server.failWhen(() => ({ kind: 'stall' }));
    const embedder = setUp(
      server.baseUrl,
      { maxTexts: 1, openAfter: 1, coolDownMs: 60_000 },
      { timeoutMs: 3_000 },
    );
    const early = embedder.embed(['early'], document).catch((error: unknown) => error);
    await sleep(1_000);
    const late = numbered(10).map((text) => embedder.embed([text], document));
    const start = performance.now();
    for (const outcome of await Promise.allSettled(late)) expect(outcome).toMatchObject({ reason: away });
    expect(performance.now() - start).toBeLessThan(2_900);
    expect(await early).toMatchObject(away);
    await expect.poll(() => server.requests.every(({ aborted }) => aborted), patient).toBe(true);
  });

  test('when it is back, one request finds out before all others go', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8, latencyMs: 1_000 });
    server.failNext(...Array.from({ length: 3 }, () => ({ kind: 'status', status: 503 }) as const));
    const embedder = setUp(server.baseUrl, { maxTexts: 1, retries: 2, coolDownMs: 200 });
    await expect(embedder.embed(['a'], document)).rejects.toMatchObject({ status: 503 });
    await sleep(250);
    const before = server.requests.length;
    const texts = numbered(9);
    const answer = embedder.embed(texts, document);
    await expect.poll(() => server.requests.length, patient).toBe(before + 1);
    await expect(embedder.embed(['while it tries'], document)).rejects.toMatchObject(away);
    expect(await answer).toEqual(texts.map((text) => server.vectorOf(text)));
    const later = server.requests.slice(before).map(({ concurrent }) => concurrent);
    expect(later[0]).toBe(1);
    expect(Math.max(...later)).toBe(4);
  });

  test('whose tries are used up when it happens is told the same as all others: come back later', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    server.failWhen(() => ({ kind: 'status', status: 503 }));
    const embedder = setUp(server.baseUrl, { coolDownMs: 60_000 });
    expect(embedder.refusal()).toBeUndefined();
    await expect(embedder.embed(['a'], document)).rejects.toMatchObject({ ...away, status: 503 });
    expect(server.requests).toHaveLength(4);
    expect(embedder.refusal()).toMatchObject(away);
    // Nothing is nothing, whether anybody is there or not.
    expect(await embedder.embed([], document)).toEqual([]);
  });

  test('each try that fails doubles the wait', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    server.failWhen(() => ({ kind: 'refuse' }));
    const embedder = setUp(server.baseUrl, { openAfter: 1, retries: 0, coolDownMs: 600 });
    for (const longest of [600, 1_200, 2_400]) {
      await expect(embedder.embed(['a'], document)).rejects.toMatchObject({ code: 'provider_unavailable' });
      const error = await embedder.embed(['b'], document).catch((reason: unknown) => reason);
      const { retryAfterMs } = error as { retryAfterMs: number };
      expect(retryAfterMs).toBeLessThanOrEqual(longest);
      expect(retryAfterMs).toBeGreaterThan(longest / 2);
      await sleep(retryAfterMs + 5);
    }
    expect(server.requests).toHaveLength(3);
  });

  test('requests that fail at the same time are one hiccup', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8, latencyMs: 1_000 });
    server.failNext(...Array.from({ length: 8 }, () => ({ kind: 'status', status: 502 }) as const));
    const embedder = setUp(server.baseUrl, { maxTexts: 1, concurrency: 8, openAfter: 3 });
    const texts = numbered(8);
    expect(await embedder.embed(texts, document)).toEqual(texts.map((text) => server.vectorOf(text)));
  });

  test.each([
    { kind: 'status', status: 429 },
    { kind: 'status', status: 400 },
    { kind: 'missing' },
    { kind: 'nan', index: 0 },
  ] as const)('%o is an answer, however often it comes', async (fault) => {
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    server.failNext(...Array.from({ length: 6 }, () => fault));
    const embedder = setUp(server.baseUrl, { retries: 0, openAfter: 2, coolDownMs: 60_000 });
    for (const text of numbered(6))
      await expect(embedder.embed([text], document)).rejects.toBeInstanceOf(Error);
    expect(await embedder.embed(['a'], document)).toEqual([server.vectorOf('a')]);
  });
});
