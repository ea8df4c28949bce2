import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisScripts } from '@sluice/embeddings';
import { createTestRedis, describeWithServices, startEmbeddingsServer } from '@sluice/testing';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createEmbedders } from '../src/index.ts';

const modelOf = (embeddingModel: string, dimensions = 8) => {
  return { embeddingProvider: 'openai', embeddingModel, dimensions } as const;
};

/** The embedders of a process that may send one request a minute to a model. */
function openProcess(baseUrl: string, redis?: RedisScripts) {
  const embedders = createEmbedders({
    openAi: { apiKey: 'sk-secret', baseUrl },
    onnx: undefined,
    timeoutMs: 5_000,
    maxTexts: 64,
    maxTokens: 1_000,
    concurrency: 4,
    requestsPerMinute: 1,
    tokensPerMinute: undefined,
    redis,
  });
  onTestFinished(() => embedders[Symbol.asyncDispose]());
  return (model: ReturnType<typeof modelOf>) => {
    const vectors = embedders.for(model).embed(['a'], { purpose: 'document' });
    // Those that wait for their turn fail at the end of the test.
    vectors.catch(() => {});
    return vectors;
  };
}

test('collections of one model share its limit, whatever the length of their vectors', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const embed = openProcess(server.baseUrl);
  await embed(modelOf('m'));
  void embed(modelOf('m', 4));
  await sleep(300);
  expect(server.requests).toHaveLength(1);
});

test('the limit of one model holds no other model back', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 8 });
  const embed = openProcess(server.baseUrl);
  await embed(modelOf('m'));
  void embed(modelOf('m'));
  await embed(modelOf('another'));
  expect(server.requests.map(({ model }) => model)).toEqual(['m', 'another']);
});

describeWithServices('redis', 'with a Redis server', () => {
  test('processes share the limits, and the key of the provider is not to be seen there', async () => {
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    await using service = await createTestRedis();
    const redis = new Redis(service.url);
    onTestFinished(() => redis.disconnect());
    const [one, other] = [openProcess(server.baseUrl, redis), openProcess(server.baseUrl, redis)];
    await one(modelOf('m'));
    void other(modelOf('m'));
    await other(modelOf('another'));
    await sleep(300);
    expect(server.requests.map(({ model }) => model)).toEqual(['m', 'another']);
    const keys = (await redis.keys('*')).join();
    expect(keys).toMatch(/sluice:rate:\{[0-9a-f]{32}\}:sent/);
    expect(keys).not.toContain('sk-secret');
  });
});
