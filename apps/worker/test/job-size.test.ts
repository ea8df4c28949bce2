import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { longText, startBench } from './support/bench-of-workers.ts';

/** Characters of all fields of a job, whatever its queue is called. Its lock is another key, and no hash. */
async function sizeOfJob(redis: Redis, id: string): Promise<number> {
  const [key] = (await redis.keys('bull:*')).filter((name) => name.endsWith(`:${id}`));
  return key === undefined ? 0 : JSON.stringify(await redis.hgetall(key)).length;
}

describeWithServices(['postgres', 'redis'], 'the job of a document', () => {
  test('stays small in Redis however large the document is (taskforcesh/bullmq#2397, felixmosh/bull-board#808)', async () => {
    await using bench = await startBench();
    const redis = new Redis(bench.redisUrl);
    using stack = new DisposableStack();
    stack.defer(() => redis.disconnect());
    await bench.startWorker();
    const upload = await bench.accept('large', longText(8_000));
    await bench.enqueue([upload]);
    const ended = bench.settled([upload.id]);
    const sizes: number[] = [];
    for (let over = false; !over; ) {
      over = await Promise.race([ended.then(() => true), sleep(50, false)]);
      sizes.push(await sizeOfJob(redis, upload.id));
    }
    const [{ state, chunksTotal } = {}] = await ended;
    expect([state, Number(chunksTotal) > 1_000]).toEqual(['ready', true]);
    expect(Math.max(...sizes)).toBeGreaterThan(50);
    expect(Math.max(...sizes)).toBeLessThan(2_000);
  });
});
