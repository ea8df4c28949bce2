import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bullMqQueues,
  type ConsumerOptions,
  createConsumer,
  createProducer,
  type JobHandler,
  migrateQueue,
  type Producer,
  type QueueBackend,
} from '../src/index.ts';
import { forkWorker } from './support/fork-worker.ts';
import { type TestJob, testJob, until, uploadIds } from './support/test-job.ts';

export interface ProvidedBackend extends AsyncDisposable {
  backend: QueueBackend;
}

/** What every backend has to do, whatever stands behind it. */
export function queueContract(title: string, provide: () => Promise<ProvidedBackend>): void {
  describe(title, () => {
    let provided: ProvidedBackend;
    const errors: Error[] = [];

    beforeAll(async () => {
      provided = await provide();
      await Promise.all([migrateQueue(provided.backend), migrateQueue(provided.backend)]);
    });
    afterAll(async () => {
      await provided?.[Symbol.asyncDispose]();
      expect(errors).toEqual([]);
    });

    function producerOf(job: TestJob): Producer {
      return createProducer(provided.backend, { jobs: [job], onError: (error) => errors.push(error) });
    }

    function consumerOf(
      job: TestJob,
      handler: JobHandler<{ uploadId: string }>,
      options: ConsumerOptions = {},
    ) {
      const consumer = createConsumer(provided.backend, job, handler, {
        lockDurationMs: 1_000,
        stalledIntervalMs: 300,
        abortGraceMs: 300,
        drainTimeoutMs: 5_000,
        ...options,
        hooks: { onError: (error) => errors.push(error), ...options.hooks },
      });
      consumer.start();
      return consumer;
    }

    function workerProcess(job: TestJob, jobMs: number, maxStalledCount = 5, concurrency = 4) {
      return forkWorker({ backend: provided.backend, queue: job.name, jobMs, maxStalledCount, concurrency });
    }

    const enqueue = (producer: Producer, job: TestJob, uploadId: string) =>
      producer.enqueue(job, { uploadId }, { jobId: uploadId });

    const inState = (producer: Producer, job: TestJob, jobId: string, state: string) =>
      until(`${jobId} is ${state}`, async () => (await producer.state(job, jobId)) === state);

    test('a job reaches the handler with its payload, its id and attempt 1', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      const seen: unknown[] = [];
      await using producer = producerOf(job);
      await using _consumer = consumerOf(job, async (payload, { jobId, attempt }) => {
        seen.push({ payload, jobId, attempt });
      });
      await enqueue(producer, job, id);
      await inState(producer, job, id, 'completed');
      expect(seen).toEqual([{ payload: { uploadId: id }, jobId: id, attempt: 1 }]);
    });

    test('an idle consumer takes a new job within 250 ms', async () => {
      const job = testJob();
      const [first = '', second = ''] = uploadIds(2);
      const takenAt = new Map<string, number>();
      await using producer = producerOf(job);
      await using _consumer = consumerOf(job, async ({ uploadId }) => {
        takenAt.set(uploadId, performance.now());
      });
      await enqueue(producer, job, first);
      await inState(producer, job, first, 'completed');
      await sleep(300);
      const enqueuedAt = performance.now();
      await enqueue(producer, job, second);
      await inState(producer, job, second, 'completed');
      expect((takenAt.get(second) ?? Number.POSITIVE_INFINITY) - enqueuedAt).toBeLessThan(250);
    });

    test('enqueuing an id again does nothing while its job waits or runs', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      const { promise: release, resolve } = Promise.withResolvers<void>();
      let runs = 0;
      await using producer = producerOf(job);
      await enqueue(producer, job, id);
      await enqueue(producer, job, id);
      await using _consumer = consumerOf(job, async () => {
        runs += 1;
        await release;
      });
      await inState(producer, job, id, 'active');
      await enqueue(producer, job, id);
      expect(await producer.enqueueMany(job, [{ jobId: id, payload: { uploadId: id } }])).toBe(0);
      resolve();
      await inState(producer, job, id, 'completed');
      expect(await producer.counts(job)).toMatchObject({ waiting: 0, active: 0, completed: 1 });
      expect(runs).toBe(1);
    });

    test('enqueuing an id again runs it again once it has completed or failed', async () => {
      const job = testJob();
      const [good = '', bad = ''] = uploadIds(2);
      const runs: string[] = [];
      await using producer = producerOf(job);
      await using _consumer = consumerOf(job, async ({ uploadId }) => {
        runs.push(uploadId);
        if (uploadId === bad) throw Object.assign(new Error('broken file'), { retryable: false });
      });
      for (const round of [1, 2]) {
        await enqueue(producer, job, good);
        await enqueue(producer, job, bad);
        await until(`round ${round}`, () => runs.length === 2 * round);
        await inState(producer, job, good, 'completed');
        await inState(producer, job, bad, 'failed');
      }
      const missing = await producer.enqueueMany(
        job,
        [good, bad, uploadIds(1)[0] as string].map((id) => ({ jobId: id, payload: { uploadId: id } })),
      );
      expect(missing).toBe(3);
      await until('round 3', () => runs.length === 7);
      expect(runs.filter((id) => id === good)).toHaveLength(3);
    });

    test('many callers who enqueue the same finished job at once leave one job behind', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      await using producer = producerOf(job);
      {
        await using _consumer = consumerOf(job, async () => undefined);
        await enqueue(producer, job, id);
        await inState(producer, job, id, 'completed');
      }
      await using other = producerOf(job);
      await Promise.all(
        Array.from({ length: 20 }, (_, n) => enqueue(n % 2 === 0 ? producer : other, job, id)),
      );
      expect(await producer.counts(job)).toMatchObject({ waiting: 1, completed: 0 });
    });

    test('a transient failure is tried again with growing waits until the attempts are used up', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      const times: number[] = [];
      const failures: unknown[] = [];
      await using producer = producerOf(job);
      await using _consumer = consumerOf(
        job,
        async (_, { attempt }) => {
          times.push(performance.now());
          throw new Error(`attempt ${attempt}`);
        },
        {
          hooks: { onFailed: ({ attempt, final, error }) => failures.push([attempt, final, error.message]) },
        },
      );
      await enqueue(producer, job, id);
      await inState(producer, job, id, 'failed');
      await until('the last failure is reported', () => failures.length === 3);
      expect(failures).toEqual([
        [1, false, 'attempt 1'],
        [2, false, 'attempt 2'],
        [3, true, 'attempt 3'],
      ]);
      const [first = 0, second = 0, third = 0] = times;
      expect(second - first).toBeGreaterThanOrEqual(95);
      expect(third - second).toBeGreaterThanOrEqual(195);
    });

    test('a job that is put off comes back later each time, and no attempt counts', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      const runs: { attempt: number; at: number }[] = [];
      const failures: unknown[] = [];
      await using producer = producerOf(job);
      await using _consumer = consumerOf(
        job,
        async (_, { attempt, mayPutOff }) => {
          runs.push({ attempt, at: performance.now() });
          if (runs.length <= 4) throw Object.assign(new Error('too early'), { retryAfterMs: 200 });
          expect(mayPutOff).toBe(true);
        },
        { hooks: { onFailed: (failure) => failures.push(failure) } },
      );
      await enqueue(producer, job, id);
      await inState(producer, job, id, 'delayed');
      await enqueue(producer, job, id);
      await inState(producer, job, id, 'completed');
      expect(runs.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1]);
      // What was asked for, twice; then the growing waits of the job are longer.
      for (const [i, least] of [200, 200, 400, 800].entries()) {
        expect((runs[i + 1]?.at ?? 0) - (runs[i]?.at ?? 0)).toBeGreaterThanOrEqual(least - 5);
      }
      expect(failures).toEqual([]);
    });

    test('a job that has been put off for too long has its attempts, and no more', async () => {
      const job = testJob({ retry: { attempts: 2, backoffMs: 50, jitter: 0, putOffForMs: 1_000 } });
      const [id = ''] = uploadIds(1);
      const runs: { attempt: number; mayPutOff: boolean }[] = [];
      await using producer = producerOf(job);
      await using _consumer = consumerOf(job, async (_, { attempt, mayPutOff }) => {
        runs.push({ attempt, mayPutOff });
        throw Object.assign(new Error('too early'), { retryAfterMs: 300 });
      });
      await enqueue(producer, job, id);
      await inState(producer, job, id, 'failed');
      expect(runs.slice(-2)).toEqual([
        { attempt: 1, mayPutOff: false },
        { attempt: 2, mayPutOff: false },
      ]);
      expect(runs.length).toBeGreaterThan(2);
      expect(runs.slice(0, -2).every(({ attempt, mayPutOff }) => attempt === 1 && mayPutOff)).toBe(true);
    });

    test('a job that fails once and then works is completed', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      const attempts: number[] = [];
      await using producer = producerOf(job);
      await using _consumer = consumerOf(job, async (_, { attempt }) => {
        attempts.push(attempt);
        if (attempt === 1) throw new Error('embeddings provider is busy');
      });
      await enqueue(producer, job, id);
      await inState(producer, job, id, 'completed');
      expect(attempts).toEqual([1, 2]);
    });

    test('an error that is not retryable ends the job at its first attempt, and it lies with the dead letters', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      const permanent = Object.assign(new Error('the PDF is encrypted'), { retryable: false });
      const failures: { error: Error; final: boolean }[] = [];
      await using producer = producerOf(job);
      await using _consumer = consumerOf(
        job,
        async () => {
          throw permanent;
        },
        { hooks: { onFailed: (event) => failures.push(event) } },
      );
      await enqueue(producer, job, id);
      await inState(producer, job, id, 'failed');
      await until('the failure is reported', () => failures.length > 0);
      expect(failures).toMatchObject([{ final: true, attempt: 1 }]);
      expect(failures[0]?.error).toBe(permanent);
      expect(await producer.failed(job, 10)).toMatchObject([
        { jobId: id, reason: 'the PDF is encrypted', attempts: 1 },
      ]);
    });

    test('a delayed job starts when its time has come, and not before', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      let startedAt = 0;
      await using producer = producerOf(job);
      await using _consumer = consumerOf(job, async () => {
        startedAt = Date.now();
      });
      const enqueuedAt = Date.now();
      await producer.enqueue(job, { uploadId: id }, { jobId: id, delayMs: 400 });
      expect(await producer.counts(job)).toMatchObject({ delayed: 1, waiting: 0 });
      await inState(producer, job, id, 'completed');
      expect(startedAt - enqueuedAt).toBeGreaterThanOrEqual(395);
      expect(startedAt - enqueuedAt).toBeLessThan(1_500);
    });

    test('jobs run in order of priority, and in order of arrival within one', async () => {
      const job = testJob();
      const ids = uploadIds(4);
      const order: string[] = [];
      await using producer = producerOf(job);
      for (const [index, priority] of [9, 2, 9, 2].entries()) {
        const jobId = ids[index] ?? '';
        await producer.enqueue(job, { uploadId: jobId }, { jobId, priority });
      }
      await using _consumer = consumerOf(job, async ({ uploadId }) => void order.push(uploadId), {
        concurrency: 1,
      });
      await until('all have run', () => order.length === 4);
      expect(order).toEqual([ids[1], ids[3], ids[0], ids[2]]);
    });

    test('progress and counts can be read while jobs wait and run', async () => {
      const job = testJob();
      const ids = uploadIds(3);
      const { promise: release, resolve } = Promise.withResolvers<void>();
      await using producer = producerOf(job);
      await producer.enqueueMany(
        job,
        ids.map((id) => ({ jobId: id, payload: { uploadId: id } })),
      );
      await using _consumer = consumerOf(
        job,
        async (_, { reportProgress }) => {
          await reportProgress({ done: 3, total: 7 });
          await release;
        },
        { concurrency: 1 },
      );
      await inState(producer, job, ids[0] ?? '', 'active');
      expect(await producer.counts(job)).toEqual({
        waiting: 2,
        active: 1,
        delayed: 0,
        failed: 0,
        completed: 0,
      });
      const [queue] = bullMqQueues(producer);
      await until('progress is stored', async () => {
        const stored = await queue?.getJob(ids[0] ?? '');
        return JSON.stringify(stored?.progress) === JSON.stringify({ done: 3, total: 7 });
      });
      resolve();
      await inState(producer, job, ids[2] ?? '', 'completed');
    });

    test('a waiting job can be removed, a running one cannot', async () => {
      const job = testJob();
      const [running = '', waiting = ''] = uploadIds(2);
      const { promise: release, resolve } = Promise.withResolvers<void>();
      const runs: string[] = [];
      await using producer = producerOf(job);
      await using _consumer = consumerOf(
        job,
        async ({ uploadId }) => {
          runs.push(uploadId);
          await release;
        },
        { concurrency: 1 },
      );
      await enqueue(producer, job, running);
      await inState(producer, job, running, 'active');
      await enqueue(producer, job, waiting);
      expect(await producer.remove(job, waiting)).toBe(true);
      expect(await producer.remove(job, waiting)).toBe(false);
      expect(await producer.remove(job, running)).toBe(false);
      expect(await producer.state(job, waiting)).toBe('unknown');
      resolve();
      await inState(producer, job, running, 'completed');
      expect(runs).toEqual([running]);
    });

    test('a payload that does not fit the schema is refused and leaves nothing in the queue', async () => {
      const job = testJob();
      await using producer = producerOf(job);
      const wrong = { uploadId: '' };
      await expect(producer.enqueue(job, wrong, { jobId: 'x' })).rejects.toMatchObject({
        code: 'queue_invalid_payload',
        retryable: false,
      });
      expect(await producer.state(job, 'x')).toBe('unknown');
    });

    test.each(['', '42', 'a:b'])('a job id that BullMQ would misread is refused: "%s"', async (jobId) => {
      const job = testJob();
      await using producer = producerOf(job);
      await expect(producer.enqueue(job, { uploadId: 'x' }, { jobId })).rejects.toMatchObject({
        code: 'queue_invalid_option',
      });
    });

    test('no handler starts while the consumer is paused, and work goes on after it resumes', async () => {
      const job = testJob();
      const ids = uploadIds(3);
      const runs: string[] = [];
      await using producer = producerOf(job);
      await using consumer = consumerOf(job, async ({ uploadId }) => void runs.push(uploadId));
      await enqueue(producer, job, ids[0] ?? '');
      await until('the first has run', () => runs.length === 1);
      consumer.pause();
      await enqueue(producer, job, ids[1] ?? '');
      await enqueue(producer, job, ids[2] ?? '');
      await sleep(500);
      expect(runs).toHaveLength(1);
      expect(consumer.status().state).toBe('paused');
      consumer.resume();
      await until('all have run', () => runs.length === 3);
      expect(runs.toSorted()).toEqual(ids.toSorted());
    });

    test('a paused consumer starts nothing when it is drained, and gives back at once what it holds', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      await using producer = producerOf(job);
      const consumer = consumerOf(job, async () => undefined);
      await sleep(300);
      consumer.pause();
      await enqueue(producer, job, id);
      await sleep(300);
      const startedAt = performance.now();
      await consumer.drain();
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(await producer.state(job, id)).toBe('waiting');
    });

    test('cancelling a running job aborts its signal, and it is not tried again', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      const reasons: unknown[] = [];
      await using producer = producerOf(job);
      await using consumer = consumerOf(job, async (_, { signal }) => {
        await sleep(10_000, undefined, { signal }).catch(() => undefined);
        reasons.push((signal.reason as { code: string }).code);
        signal.throwIfAborted();
      });
      await enqueue(producer, job, id);
      await inState(producer, job, id, 'active');
      await until('the job is here', () => consumer.status().active === 1);
      expect(consumer.cancel('someone-else')).toBe(false);
      expect(consumer.cancel(id)).toBe(true);
      await inState(producer, job, id, 'failed');
      expect(reasons).toEqual(['queue_cancelled']);
    });

    test('draining lets running jobs end and takes no new ones', async () => {
      const job = testJob();
      const [running = '', waiting = ''] = uploadIds(2);
      await using producer = producerOf(job);
      const runs: string[] = [];
      const consumer = consumerOf(
        job,
        async ({ uploadId }) => {
          runs.push(uploadId);
          await sleep(400);
        },
        { concurrency: 1 },
      );
      await enqueue(producer, job, running);
      await until('the job runs', () => runs.length === 1);
      await enqueue(producer, job, waiting);
      expect(await consumer.drain()).toEqual({ finished: 1, handedBack: 0 });
      expect(consumer.status()).toMatchObject({ state: 'closed', active: 0 });
      expect(await producer.state(job, running)).toBe('completed');
      expect(runs).toEqual([running]);
      expect(await producer.state(job, waiting)).toBe('waiting');
    });

    test.each([
      ['stops when told to', true],
      ['ignores its signal', false],
    ])(
      'a job that outlasts the drain deadline goes to another consumer soon when its handler %s',
      async (_, obeys) => {
        const job = testJob();
        const [id = ''] = uploadIds(1);
        const attempts: number[] = [];
        const reasons: unknown[] = [];
        await using producer = producerOf(job);
        const leaving = consumerOf(
          job,
          async (_payload, { attempt, signal }) => {
            attempts.push(attempt);
            signal.addEventListener('abort', () => reasons.push((signal.reason as { code: string }).code));
            await sleep(60_000, undefined, { ref: false, ...(obeys ? { signal } : {}) });
          },
          { drainTimeoutMs: 200, lockDurationMs: 30_000 },
        );
        await enqueue(producer, job, id);
        await until('the job runs', () => attempts.length === 1);
        await using _staying = consumerOf(job, async (_payload, { attempt }) => void attempts.push(attempt));
        const startedAt = performance.now();
        expect(await leaving.drain()).toEqual({ finished: 0, handedBack: 1 });
        await inState(producer, job, id, 'completed');
        expect(performance.now() - startedAt).toBeLessThan(3_000);
        expect(attempts).toEqual([1, 1]);
        expect(reasons).toEqual(['queue_draining']);
      },
    );

    test('the job of a killed process is taken over by another worker, and keeps its attempt number', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      const attempts: number[] = [];
      const stalled: string[] = [];
      await using producer = producerOf(job);
      await using doomed = workerProcess(job, -1);
      await enqueue(producer, job, id);
      await until('the job has started', () => doomed.started.length === 1);
      await doomed.kill();
      await using _heir = consumerOf(job, async (_, { attempt }) => void attempts.push(attempt), {
        hooks: { onStalled: ({ jobId }) => stalled.push(jobId) },
      });
      await inState(producer, job, id, 'completed');
      expect(attempts).toEqual([1]);
      expect(stalled).toEqual([id]);
    });

    test('a job that kills every worker fails for good, and can be enqueued anew (taskforcesh/bullmq#651)', async () => {
      const job = testJob();
      const [id = ''] = uploadIds(1);
      const failures: unknown[] = [];
      const runs: string[] = [];
      await using producer = producerOf(job);
      await enqueue(producer, job, id);
      for (const _ of [1, 2]) {
        await using doomed = workerProcess(job, -1, 1);
        await until('the job has started', () => doomed.started.length === 1);
        await doomed.kill();
      }
      await using _last = consumerOf(job, async ({ uploadId }) => void runs.push(uploadId), {
        maxStalledCount: 1,
        hooks: { onFailed: ({ error, final }) => failures.push([(error as { code?: string }).code, final]) },
      });
      await inState(producer, job, id, 'failed');
      await until('the failure is reported', () => failures.length === 1);
      expect(failures).toEqual([['queue_stalled', true]]);
      expect(runs).toEqual([]);
      await enqueue(producer, job, id);
      await inState(producer, job, id, 'completed');
      expect(runs).toEqual([id]);
    });

    test('two worker processes share 200 jobs, and each is delivered exactly once', async () => {
      const job = testJob();
      const ids = uploadIds(200);
      await using producer = producerOf(job);
      await using one = workerProcess(job, 5);
      await using two = workerProcess(job, 5);
      const [warm1 = '', warm2 = ''] = uploadIds(2);
      await enqueue(producer, job, warm1);
      await enqueue(producer, job, warm2);
      await producer.enqueueMany(
        job,
        ids.map((id) => ({ jobId: id, payload: { uploadId: id } })),
      );
      await until('all are done', () => one.done.length + two.done.length >= 202, 30_000);
      await sleep(200);
      expect([...one.started, ...two.started].toSorted()).toEqual([...ids, warm1, warm2].toSorted());
      await until('all are counted', async () => (await producer.counts(job)).active === 0);
      expect(await producer.counts(job)).toMatchObject({ waiting: 0, delayed: 0, failed: 0 });
    });

    test('a closed producer says so', async () => {
      const job = testJob();
      const producer = producerOf(job);
      await producer.ping();
      await producer.close();
      await producer.close();
      await expect(enqueue(producer, job, 'x')).rejects.toMatchObject({ code: 'queue_closed' });
    });
  });
}
