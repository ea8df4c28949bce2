import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices, type RunningService, startPostgres, startRedis } from '@sluice/testing';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import {
  checkQueueBackend,
  createConsumer,
  createProducer,
  type JobHandler,
  migrateQueue,
  type QueueBackend,
} from '../src/index.ts';
import { type TestJob, testJob, until, uploadIds } from './support/test-job.ts';

const COMMAND_TIMEOUT_MS = 600;

function consume(
  backend: QueueBackend,
  job: TestJob,
  handler: JobHandler<{ uploadId: string }>,
  errors: Error[],
) {
  const consumer = createConsumer(backend, job, handler, {
    lockDurationMs: 1_000,
    stalledIntervalMs: 300,
    abortGraceMs: 100,
    hooks: { onError: (error) => errors.push(error) },
  });
  consumer.start();
  return consumer;
}

function produce(backend: QueueBackend, job: TestJob) {
  return createProducer(backend, { jobs: [job], commandTimeoutMs: COMMAND_TIMEOUT_MS });
}

const kinds = [
  {
    title: 'Redis',
    start: () => startRedis(),
    backendOf: (service: RunningService): QueueBackend => ({ kind: 'redis', url: service.url }),
  },
  {
    title: 'Postgres',
    start: () => startPostgres(),
    backendOf: (service: RunningService): QueueBackend => ({
      kind: 'postgres',
      connectionString: service.url,
    }),
  },
];

describeWithServices('processes', 'when the backend goes away', () => {
  describe.each(kinds)('$title', ({ start, backendOf }) => {
    test('a consumer survives that it is killed, and takes jobs again once it is back', async () => {
      await using service = await start();
      const backend = backendOf(service);
      await migrateQueue(backend);
      const job = testJob();
      const [before = '', after = ''] = uploadIds(2);
      const runs: string[] = [];
      const errors: Error[] = [];
      await using producer = produce(backend, job);
      await using _consumer = consume(backend, job, async ({ uploadId }) => void runs.push(uploadId), errors);
      await producer.enqueue(job, { uploadId: before }, { jobId: before });
      await until('the first has run', () => runs.length === 1);

      await service.kill();
      await sleep(2_000);
      // One failure a second or so from each of its connections, not a storm.
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.length).toBeLessThan(60);

      await service.start();
      await until('jobs are accepted', () =>
        producer.enqueue(job, { uploadId: after }, { jobId: after }).then(
          () => true,
          () => false,
        ),
      );
      await until('the second has run', () => runs.includes(after), 15_000);
    });

    test('calls of a producer fail within their time while it is away, and work again afterwards', async () => {
      await using service = await start();
      const backend = backendOf(service);
      await migrateQueue(backend);
      const job = testJob();
      await using producer = produce(backend, job);
      await producer.ping();
      await service.kill();
      for (const _ of [1, 2, 3]) {
        const startedAt = performance.now();
        await expect(producer.enqueue(job, { uploadId: 'late' }, { jobId: 'late' })).rejects.toMatchObject({
          code: 'queue_unavailable',
          retryable: true,
        });
        expect(performance.now() - startedAt).toBeLessThan(COMMAND_TIMEOUT_MS + 400);
      }
      await service.start();
      await until('it answers again', () =>
        producer.ping().then(
          () => true,
          () => false,
        ),
      );
      // Calls that have failed are not made up for behind the caller's back.
      expect(await producer.counts(job)).toMatchObject({ waiting: 0 });
    });

    test('what is created before it is up begins to work when it comes', async () => {
      await using service = await start();
      const backend = backendOf(service);
      await migrateQueue(backend);
      await service.stop();
      const job = testJob();
      const [id = ''] = uploadIds(1);
      const runs: string[] = [];
      const errors: Error[] = [];
      await using producer = produce(backend, job);
      await using _consumer = consume(backend, job, async ({ uploadId }) => void runs.push(uploadId), errors);
      await expect(producer.ping()).rejects.toMatchObject({ code: 'queue_unavailable' });
      await sleep(1_000);
      expect(errors.length).toBeLessThan(60);
      await service.start();
      await until('the job is accepted', () =>
        producer.enqueue(job, { uploadId: id }, { jobId: id }).then(
          () => true,
          () => false,
        ),
      );
      await until('the job has run', () => runs.includes(id), 15_000);
    });

    test('producers and consumers close within seconds while it is away', async () => {
      await using service = await start();
      const backend = backendOf(service);
      await migrateQueue(backend);
      const job = testJob();
      const [id = ''] = uploadIds(1);
      const errors: Error[] = [];
      const producer = produce(backend, job);
      const consumer = consume(backend, job, () => sleep(60_000, undefined, { ref: false }), errors);
      await producer.enqueue(job, { uploadId: id }, { jobId: id });
      await until('the job runs', () => consumer.status().active === 1);
      await service.kill();
      const startedAt = performance.now();
      await Promise.all([producer.close(), consumer.close()]);
      expect(performance.now() - startedAt).toBeLessThan(6_000);
      expect(consumer.status().state).toBe('closed');
      await expect(checkQueueBackend(backend)).rejects.toMatchObject({ code: 'queue_unavailable' });
    });
  });

  test('a consumer goes on after Redis has lost everything, and the job that ran is told to stop', async () => {
    await using service = await startRedis();
    const backend: QueueBackend = { kind: 'redis', url: service.url };
    const job = testJob();
    const [lost = '', next = ''] = uploadIds(2);
    const reasons: unknown[] = [];
    const runs: string[] = [];
    await using producer = produce(backend, job);
    await using _consumer = consume(
      backend,
      job,
      async ({ uploadId }, { signal }) => {
        runs.push(uploadId);
        if (uploadId !== lost) return;
        await sleep(20_000, undefined, { signal }).catch(() => undefined);
        reasons.push((signal.reason as { code: string }).code);
        signal.throwIfAborted();
      },
      [],
    );
    await producer.enqueue(job, { uploadId: lost }, { jobId: lost });
    await until('the job runs', () => runs.length === 1);
    const redis = new Redis(service.url);
    await redis.flushall();
    await until('the handler was told', () => reasons.length === 1);
    expect(reasons).toEqual(['queue_lock_lost']);

    for (const round of [1, 2, 3]) {
      await sleep(50 * round);
      await redis.flushall();
      await producer.enqueue(job, { uploadId: `${next}-${round}` }, { jobId: `${next}-${round}` });
      await until(`round ${round}`, () => runs.includes(`${next}-${round}`));
    }
    await redis.quit();
  });

  test('the check names an eviction policy that loses jobs, and is content with noeviction', async () => {
    await using evicting = await startRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
    await using keeping = await startRedis({ settings: { 'maxmemory-policy': 'noeviction' } });
    const warnings = await checkQueueBackend({ kind: 'redis', url: evicting.url });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('allkeys-lru');
    expect(await checkQueueBackend({ kind: 'redis', url: keeping.url })).toEqual([]);
  });

  test('the check of a Postgres without the schema says that it has to be migrated', async () => {
    await using service = await startPostgres();
    await expect(checkQueueBackend({ kind: 'postgres', connectionString: service.url })).rejects.toThrow(
      /migrat/u,
    );
  });
});
