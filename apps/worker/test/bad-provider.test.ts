import { bullMqQueues } from '@sluice/queue';
import type { Upload } from '@sluice/store';
import { describeWithServices, startEmbeddingsServer } from '@sluice/testing';
import { expect, test } from 'vitest';
import { startBench } from './support/bench-of-workers.ts';

const openAi = { embeddingProvider: 'openai', embeddingModel: 'fake', dimensions: 64 };

describeWithServices(['postgres', 'redis'], 'a worker with two places', () => {
  // They wait most of their time.
  test.concurrent('does not keep them for a provider that answers nothing (pgEdge/pgedge-vectorizer#78)', {
    timeout: 200_000,
  }, async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64 });
    provider.failWhen(() => ({ kind: 'stall' }));
    await using bench = await startBench(openAi);
    const healthy = await bench.addCollection({ name: 'healthy' });
    const stuck: Upload[] = [];
    for (let i = 0; i < 20; i += 1) stuck.push(await bench.accept(`stuck-${i}`, `Text ${i}.`));
    const others = [];
    for (let i = 0; i < 5; i += 1)
      others.push(await bench.accept(`other-${i}`, `Text ${i}.`, undefined, healthy));
    await bench.startWorker({
      OPENAI_API_KEY: 'test-key',
      OPENAI_BASE_URL: provider.baseUrl,
      EMBEDDING_TIMEOUT_SECONDS: '5',
      WORKER_CONCURRENCY: '2',
    });
    await bench.enqueue([...stuck, ...others]);
    // Four tries of five seconds for each of the twenty, two at a time, are 200 seconds and more.
    const ended = await bench.settled(
      others.map(({ id }) => id),
      110_000,
    );
    expect(ended.map(({ state }) => state)).toEqual(others.map(() => 'ready'));
    const errorOfFirst = async () => {
      const { rows } = await bench.pool.query<{ error: { code: string; retryable: boolean } | null }>(
        'select error from sluice.uploads where id = $1::uuid',
        [stuck[0]?.id],
      );
      return rows[0]?.error;
    };
    await expect
      .poll(errorOfFirst, { timeout: 60_000 })
      .toMatchObject({ code: 'provider_unavailable', retryable: true });
  });

  test.concurrent('spends no attempts on an outage of the provider, and goes on when it is over', {
    timeout: 200_000,
  }, async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64 });
    provider.failWhen(() => ({ kind: 'status', status: 503 }));
    await using bench = await startBench(openAi);
    const uploads: Upload[] = [];
    for (let i = 0; i < 10; i += 1) uploads.push(await bench.accept(`text-${i}`, `Text ${i}.`));
    await bench.startWorker({ OPENAI_API_KEY: 'test-key', OPENAI_BASE_URL: provider.baseUrl });
    await bench.enqueue(uploads);
    const [queue] = bullMqQueues(bench.producer);
    const jobs = () => Promise.all(uploads.map(({ id }) => queue?.getJob(id)));
    // As often as a job may be tried in all, had these been attempts.
    await expect
      .poll(async () => Math.max(...(await jobs()).map((job) => job?.attemptsStarted ?? 0)), {
        timeout: 120_000,
      })
      .toBeGreaterThanOrEqual(5);
    expect((await jobs()).map((job) => job?.attemptsMade)).toEqual(uploads.map(() => 0));
    provider.failWhen(() => undefined);
    const ended = await bench.settled(
      uploads.map(({ id }) => id),
      120_000,
    );
    expect(ended.map(({ state, error }) => ({ state, error }))).toEqual(
      uploads.map(() => ({ state: 'ready', error: null })),
    );
  });
});
