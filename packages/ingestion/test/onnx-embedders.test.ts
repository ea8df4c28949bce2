import { expect, test } from 'vitest';
import { createEmbedders, type EmbeddersOptions } from '../src/index.ts';

const options: EmbeddersOptions = {
  openAi: undefined,
  onnx: undefined,
  timeoutMs: 5_000,
  maxTexts: 8,
  maxTokens: 1_000,
  concurrency: 1,
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
};
const e5 = { embeddingProvider: 'onnx', embeddingModel: 'e5', dimensions: 384 };

test('a collection of a provider that this process is not set up for is refused with what to set', async () => {
  await using embedders = createEmbedders(options);
  expect(() => embedders.for(e5)).toThrow(
    expect.objectContaining({
      code: 'model_unavailable',
      message: expect.stringContaining('EMBEDDING_ONNX_MODELS_DIR'),
    }),
  );
  expect(() => embedders.for({ ...e5, embeddingProvider: 'openai' })).toThrow(
    expect.objectContaining({
      code: 'authentication_failed',
      message: expect.stringContaining('OPENAI_API_KEY'),
    }),
  );
});

test('an ONNX model is looked for in its folder only, and only once a text is to be embedded', async () => {
  await using embedders = createEmbedders({ ...options, onnx: { directory: '/nowhere', threads: 1 } });
  expect(() => embedders.for({ ...e5, embeddingModel: '../e5' })).toThrow(
    expect.objectContaining({ code: 'model_unavailable' }),
  );
  const embedder = embedders.for(e5);
  expect(embedders.for({ ...e5 })).toBe(embedder);
  await expect(embedder.embed(['text'], { purpose: 'document' })).rejects.toMatchObject({
    code: 'model_unavailable',
    retryable: false,
  });
});
