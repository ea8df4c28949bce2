import { once } from 'node:events';
import { describeWithServices, startEmbeddingsServer } from '@sluice/testing';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { longText, startBench } from './support/bench-of-workers.ts';

const openAi = { embeddingProvider: 'openai', embeddingModel: 'fake', dimensions: 64 };

describeWithServices(['postgres', 'redis'], 'workers', () => {
  test('two of them share 200 uploads, and each document is there once', { timeout: 90_000 }, async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64, latencyMs: 10 });
    await using bench = await startBench(openAi);
    const uploads = [];
    for (let i = 0; i < 200; i += 1)
      uploads.push(await bench.accept(`doc-${i}`, `Document ${i} says ${i * i}.`));
    // By their keys the provider tells who of them asks.
    const keys = ['worker-one', 'worker-two'];
    const workers = await Promise.all(
      keys.map((key) => bench.startWorker({ OPENAI_API_KEY: key, OPENAI_BASE_URL: provider.baseUrl })),
    );
    await bench.enqueue(uploads);
    const ended = await bench.settled(uploads.map(({ id }) => id));
    expect(ended.filter(({ state }) => state === 'ready')).toHaveLength(200);
    const { rows } = await bench.pool.query<{ documents: number; chunks: number }>(
      `select (select count(*) from sluice.documents where live_upload_id is not null) as documents,
         (select count(*) from sluice.chunks_${bench.collection.id}) as chunks`,
    );
    expect(rows).toEqual([{ documents: 200, chunks: 200 }]);
    expect(ended.every(({ attempts }) => attempts === 1)).toBe(true);
    const shares = keys.map((key) =>
      provider.requests
        .filter(({ authorization }) => authorization === `Bearer ${key}`)
        .reduce((sum, { texts }) => sum + texts.length, 0),
    );
    expect(Math.min(...shares)).toBeGreaterThan(0);
    expect(shares.reduce((a, b) => a + b)).toBe(200);
    for (const worker of workers) {
      worker.kill('SIGTERM');
      expect(await once(worker, 'exit')).toEqual([0, null]);
    }
  });

  test('one with a time to stop of which 70 % are no round figure starts, and stops', {
    timeout: 90_000,
  }, async () => {
    await using bench = await startBench();
    const worker = await bench.startWorker({ SHUTDOWN_TIMEOUT_SECONDS: '11' });
    worker.kill('SIGTERM');
    expect(await once(worker, 'exit')).toEqual([0, null]);
  });

  test('one that is told to stop hands its job back, and another finishes it with each chunk once', {
    timeout: 90_000,
  }, async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64, latencyMs: 400 });
    await using bench = await startBench(openAi);
    const settings = {
      OPENAI_API_KEY: 'test-key',
      OPENAI_BASE_URL: provider.baseUrl,
      EMBEDDING_BATCH_TEXTS: '16',
      EMBEDDING_CONCURRENCY: '1',
      INSERT_BATCH_ROWS: '64',
      SHUTDOWN_TIMEOUT_SECONDS: '2',
    };
    const upload = await bench.accept('long', longText(1_200));
    const first = await bench.startWorker(settings);
    await bench.enqueue([upload]);
    await expect.poll(() => provider.requests.length, { timeout: 20_000 }).toBeGreaterThan(3);
    first.kill('SIGTERM');
    expect(await once(first, 'exit')).toEqual([0, null]);
    await bench.startWorker({ ...settings, EMBEDDING_CONCURRENCY: '8' });
    const [ended] = await bench.settled([upload.id]);
    expect(ended).toMatchObject({ state: 'ready', attempts: 1 });
    const chunks = await bench.chunksOf(upload.documentId);
    expect(chunks).toEqual({ rows: ended?.chunksTotal, places: ended?.chunksTotal });
  });

  test('one that is killed loses its job to another, and each chunk is there once', {
    timeout: 90_000,
  }, async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64, latencyMs: 200 });
    await using bench = await startBench(openAi);
    const settings = {
      OPENAI_API_KEY: 'test-key',
      OPENAI_BASE_URL: provider.baseUrl,
      EMBEDDING_BATCH_TEXTS: '16',
      INSERT_BATCH_ROWS: '64',
    };
    const upload = await bench.accept('long', longText(800));
    const first = await bench.startWorker(settings);
    await bench.enqueue([upload]);
    await expect.poll(() => provider.requests.length, { timeout: 20_000 }).toBeGreaterThan(5);
    first.kill('SIGKILL');
    await bench.startWorker(settings);
    const [ended] = await bench.settled([upload.id]);
    expect(ended).toMatchObject({ state: 'ready', attempts: 2 });
    const chunks = await bench.chunksOf(upload.documentId);
    expect(chunks).toEqual({ rows: ended?.chunksTotal, places: ended?.chunksTotal });
    const { rows } = await bench.pool.query('select from sluice.staged_chunks');
    expect(rows).toHaveLength(0);
  });

  test('a batch of one collection does not hold up the single file of another', {
    timeout: 60_000,
  }, async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64, latencyMs: 20 });
    await using bench = await startBench(openAi);
    const other = await bench.addCollection({ ...openAi, name: 'other' });
    const batch = [];
    for (let i = 0; i < 120; i += 1) batch.push(await bench.accept(`doc-${i}`, `Document ${i}.`));
    await bench.enqueue(batch);
    await bench.startWorker({
      OPENAI_API_KEY: 'test-key',
      OPENAI_BASE_URL: provider.baseUrl,
      WORKER_CONCURRENCY: '1',
    });
    await expect.poll(() => provider.requests.length, { timeout: 30_000 }).toBeGreaterThan(2);
    const single = await bench.accept('single', 'A single document.', undefined, other);
    const before = provider.requests.length;
    await bench.enqueue([single]);
    await bench.settled([single.id]);
    expect(provider.requests.length - before).toBeLessThan(15);
    await bench.settled(batch.map(({ id }) => id));
  });

  test('a flush of Redis loses no upload', { timeout: 60_000 }, async () => {
    await using bench = await startBench();
    const uploads = [];
    for (let i = 0; i < 20; i += 1) uploads.push(await bench.accept(`doc-${i}`, `Document ${i}.`));
    await bench.enqueue(uploads);
    const redis = new Redis(bench.redisUrl);
    await redis.flushdb();
    await redis.quit();
    await bench.startWorker();
    const ended = await bench.settled(uploads.map(({ id }) => id));
    expect(ended.filter(({ state }) => state === 'ready')).toHaveLength(20);
  });

  test('a flush of Redis in the middle of the work loses and doubles nothing', {
    timeout: 60_000,
  }, async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64, latencyMs: 100 });
    await using bench = await startBench(openAi);
    const uploads = [];
    for (let i = 0; i < 30; i += 1) uploads.push(await bench.accept(`doc-${i}`, `Document ${i}.`));
    await bench.startWorker({
      OPENAI_API_KEY: 'test-key',
      OPENAI_BASE_URL: provider.baseUrl,
      WORKER_CONCURRENCY: '2',
    });
    await bench.enqueue(uploads);
    await expect.poll(() => provider.requests.length, { timeout: 30_000 }).toBeGreaterThan(2);
    const redis = new Redis(bench.redisUrl);
    await redis.flushdb();
    await redis.quit();
    const ended = await bench.settled(uploads.map(({ id }) => id));
    expect(ended.filter(({ state }) => state === 'ready')).toHaveLength(30);
    for (const { documentId } of uploads)
      expect(await bench.chunksOf(documentId)).toEqual({ rows: 1, places: 1 });
  });

  test('a transient fault of the provider is tried again, a permanent one is not', {
    timeout: 60_000,
  }, async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64, apiKey: 'right-key' });
    await using bench = await startBench(openAi);
    const settings = { OPENAI_API_KEY: 'right-key', OPENAI_BASE_URL: provider.baseUrl };
    provider.failNext({ kind: 'status', status: 500 });
    const worker = await bench.startWorker(settings);
    const upload = await bench.accept('a', 'Some text.');
    await bench.enqueue([upload]);
    expect((await bench.settled([upload.id]))[0]?.state).toBe('ready');
    worker.kill('SIGTERM');
    await once(worker, 'exit');

    await bench.startWorker({ ...settings, OPENAI_API_KEY: 'wrong-key' });
    const refused = await bench.accept('b', 'Other text.');
    await bench.enqueue([refused]);
    expect((await bench.settled([refused.id]))[0]).toMatchObject({
      state: 'failed',
      attempts: 1,
      error: { code: 'authentication_failed', stage: 'embedding', retryable: false },
    });
  });
});
