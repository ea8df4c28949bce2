import { setTimeout as sleep } from 'node:timers/promises';
import { createTestRedis, describeWithServices, startRedis } from '@sluice/testing';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import {
  type AttemptProgress,
  createPostgresProgress,
  createRedisProgress,
  type ProgressChannel,
} from '../src/index.ts';
import { progressContract } from './progress-contract.ts';
import { openUploads } from './support/uploads.ts';

/** Pub/sub needs the connection; before it is there the rows stand in. */
async function connected(channel: ProgressChannel): Promise<ProgressChannel> {
  for (let i = 0; i < 500 && channel.paceMs !== 50; i += 1) await sleep(10);
  return channel;
}
const at = (uploadId: string, fence: number, chunksDone: number): AttemptProgress => ({
  uploadId,
  fence,
  stage: 'embedding',
  chunksDone,
  chunksTotal: 10,
});

describeWithServices('postgres', 'without Redis', () => {
  progressContract('progress through the rows', async ({ pool }) => {
    const stack = new AsyncDisposableStack();
    const [worker, gateway] = [1, 2].map(() => stack.use(createPostgresProgress({ db: pool })));
    return {
      worker: worker as ProgressChannel,
      gateway: gateway as ProgressChannel,
      heardWithinMs: 800,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  });

  test('announcing tells an attempt that has lost its upload so', async () => {
    await using uploads = await openUploads();
    await using channel = createPostgresProgress({ db: uploads.pool });
    const id = await uploads.create({ fence: 2 });
    expect(await channel.announce(at(id, 2, 1))).toBe(true);
    expect(await channel.announce(at(id, 1, 5))).toBe(false);
    await uploads.remove(id);
    expect(await channel.announce(at(id, 2, 1))).toBe(false);
  });
});

describeWithServices(['postgres', 'redis'], 'with Redis', () => {
  progressContract('progress through Redis', async ({ pool }) => {
    const stack = new AsyncDisposableStack();
    const { url } = stack.use(await createTestRedis());
    const open = () => connected(stack.use(createRedisProgress({ url, db: pool })));
    return {
      worker: await open(),
      gateway: await open(),
      heardWithinMs: 100,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  });

  test('progress leaves the row alone, and is forgotten by Redis after a while', async () => {
    await using uploads = await openUploads();
    await using redis = await createTestRedis();
    await using channel = await connected(createRedisProgress({ url: redis.url, db: uploads.pool }));
    const id = await uploads.create({ fence: 1 });
    expect(await channel.announce(at(id, 1, 5))).toBeUndefined();
    expect(await uploads.progressOf(id)).toMatchObject([{ chunksDone: 0 }]);
    const client = new Redis(redis.url);
    try {
      const left = await client.pttl(`sluice:progress:${id}`);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(10_000);
    } finally {
      client.disconnect();
    }
  });

  test('what somebody else has put there is passed over', async () => {
    await using uploads = await openUploads();
    await using redis = await createTestRedis();
    await using channel = await connected(createRedisProgress({ url: redis.url, db: uploads.pool }));
    const id = await uploads.create({ fence: 1 });
    const heard: AttemptProgress[] = [];
    let changes = 0;
    channel.watch(id, { onProgress: (progress) => heard.push(progress), onChange: () => (changes += 1) });
    await expect.poll(() => changes, { timeout: 5_000 }).toBeGreaterThan(0);
    const client = new Redis(redis.url);
    try {
      const hostile = [
        'nonsense',
        '{}',
        '[]',
        'null',
        JSON.stringify({ ...at(id, 1, 5), fence: -1 }),
        JSON.stringify({ ...at(id, 1, 5), stage: '<script>' }),
        JSON.stringify(at('00000000-0000-7000-8000-000000000000', 9, 5)),
      ];
      for (const text of hostile) {
        await client.publish(`sluice:progress:${id}`, text);
        await client.set(`sluice:progress:${id}`, text);
        expect(await channel.newest(await uploads.progressOf(id))).toMatchObject([{ chunksDone: 0 }]);
      }
      await client.del(`sluice:progress:${id}`);
      await channel.announce(at(id, 1, 3));
      await expect.poll(() => heard.map(({ chunksDone }) => chunksDone), { timeout: 5_000 }).toEqual([3]);
    } finally {
      client.disconnect();
    }
  });
});

describeWithServices(['postgres', 'processes'], 'when Redis goes away', () => {
  test('progress goes on through the rows, and through Redis again when it is back', async () => {
    await using uploads = await openUploads();
    await using redis = await startRedis();
    const open = () => connected(createRedisProgress({ url: redis.url, db: uploads.pool }));
    await using worker = await open();
    await using gateway = await open();
    const id = await uploads.create({ fence: 1 });
    const heard: number[] = [];
    const stop = gateway.watch(id, {
      onProgress: ({ chunksDone }) => heard.push(chunksDone),
      // What a look at the rows finds first counts as a change.
      async onChange() {
        const [row] = await gateway.newest(await uploads.progressOf(id));
        if (row && row.chunksDone > (heard.at(-1) ?? 0)) heard.push(row.chunksDone);
      },
    });
    await sleep(200);
    await worker.announce(at(id, 1, 1));
    await expect.poll(() => heard, { timeout: 5_000 }).toEqual([1]);

    await redis.kill();
    await expect.poll(() => worker.paceMs, { timeout: 5_000 }).toBe(500);
    const start = performance.now();
    expect(await worker.announce(at(id, 1, 2))).toBe(true);
    expect(performance.now() - start).toBeLessThan(500);
    await expect.poll(() => heard, { timeout: 5_000 }).toEqual([1, 2]);
    expect(await gateway.newest(await uploads.progressOf(id))).toMatchObject([{ chunksDone: 2 }]);
    await worker.announceChange([id]);

    await redis.start();
    await connected(worker);
    await connected(gateway);
    await expect
      .poll(
        async () => {
          await worker.announce(at(id, 1, 3 + heard.length));
          return (await uploads.progressOf(id))[0]?.chunksDone === 2 && heard.length > 2;
        },
        { timeout: 10_000 },
      )
      .toBe(true);
    stop();
  });

  test('a Redis that hangs costs an announcement its timeout once', async () => {
    await using uploads = await openUploads();
    await using redis = await startRedis();
    await using worker = await connected(createRedisProgress({ url: redis.url, db: uploads.pool }));
    const id = await uploads.create({ fence: 1 });
    process.kill(redis.pid, 'SIGSTOP');
    try {
      const start = performance.now();
      for (let done = 1; done <= 10; done += 1) await worker.announce(at(id, 1, done));
      expect(performance.now() - start).toBeLessThan(900);
      expect(await uploads.progressOf(id)).toMatchObject([{ chunksDone: 10 }]);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
  });
});
