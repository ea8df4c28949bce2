import type { Upload } from '@sluice/store';
import { createRandom, describeWithServices, startEmbeddingsServer } from '@sluice/testing';
import { expect, test } from 'vitest';
import { longText, startBench } from './support/bench-of-workers.ts';

const seed = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 1e9));
const openAi = { embeddingProvider: 'openai', embeddingModel: 'fake', dimensions: 64 };

const faults = [
  { kind: 'status', status: 429, retryAfter: '1' },
  { kind: 'status', status: 429 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'stall' },
  { kind: 'cut' },
  { kind: 'refuse' },
  { kind: 'missing' },
  { kind: 'nan', index: 0 },
  { kind: 'body', body: 'upstream connect error' },
] as const;

describeWithServices(['postgres', 'redis'], `a provider in a storm of faults (FAULT_SEED=${seed})`, () => {
  test('costs no upload and doubles no chunk: all are ready once it is over', {
    timeout: 120_000,
  }, async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64 });
    const random = createRandom(seed);
    const stormUntil = Date.now() + 12_000;
    provider.failWhen(() =>
      Date.now() < stormUntil && random.chance(0.7) ? random.pick(faults) : undefined,
    );
    await using bench = await startBench(openAi);
    const uploads: Upload[] = [];
    for (let i = 0; i < 40; i += 1)
      uploads.push(await bench.accept(`document-${i}`, longText(1 + (i % 8) * 5, `${i}`)));
    await bench.startWorker({
      OPENAI_API_KEY: 'test-key',
      OPENAI_BASE_URL: provider.baseUrl,
      EMBEDDING_TIMEOUT_SECONDS: '1',
    });
    await bench.enqueue(uploads);
    const ended = await bench.settled(
      uploads.map(({ id }) => id),
      100_000,
    );
    expect(ended.filter(({ state }) => state !== 'ready')).toEqual([]);
    for (const { documentId, chunksTotal } of ended)
      expect(await bench.chunksOf(documentId)).toEqual({ rows: chunksTotal, places: chunksTotal });
  });
});
