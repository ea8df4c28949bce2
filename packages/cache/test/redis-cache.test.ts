import { setTimeout as sleep } from 'node:timers/promises';
import { createTestRedis, describeWithServices, startRedis } from '@sluice/testing';
import { expect, test } from 'vitest';
import { type Cache, createRedisCache } from '../src/index.ts';
import { cacheContract } from './cache-contract.ts';
import { connected } from './connected.ts';

const ttlMs = 60_000;
const commandTimeoutMs = 100;

describeWithServices('redis', 'with a Redis server', () => {
  cacheContract('the cache in Redis', async () => {
    const redis = await createTestRedis();
    const cache = await connected(createRedisCache({ url: redis.url, commandTimeoutMs: 2_000 }));
    return {
      ...cache,
      async close() {
        await cache.close();
        await redis[Symbol.asyncDispose]();
      },
    };
  });

  test('caches with different prefixes do not see each other', async () => {
    await using redis = await createTestRedis();
    await using one = await connected(createRedisCache({ url: redis.url, prefix: 'one:' }));
    await using two = await connected(createRedisCache({ url: redis.url, prefix: 'two:' }));
    await one.set('key', Uint8Array.of(1), { ttlMs });
    expect(await two.get('key')).toBeNull();
  });
});

describeWithServices('processes', 'when Redis goes away', () => {
  test('lookups are quick misses until it is back, and then it is used again', async () => {
    await using redis = await startRedis();
    await using cache = await connected(createRedisCache({ url: redis.url, commandTimeoutMs }));
    await cache.set('key', Uint8Array.of(1), { ttlMs });
    expect(await cache.get('key')).not.toBeNull();

    await redis.kill();
    expect(await slowestOf(20, () => cache.get('key'))).toBeLessThan(2 * commandTimeoutMs);
    await cache.set('key', Uint8Array.of(2), { ttlMs });
    await cache.delete('key');
    await expect(cache.ping()).rejects.toMatchObject({ code: 'cache_unavailable' });
    expect(cache.stats().errors).toBeGreaterThanOrEqual(20);

    await redis.start();
    await untilStored(cache);
    expect(await cache.get('key')).toEqual(Buffer.of(3));
  });

  test('a Redis that hangs costs a few lookups their time, and then none', async () => {
    await using redis = await startRedis();
    await using cache = await connected(createRedisCache({ url: redis.url, commandTimeoutMs }));
    await cache.set('key', Uint8Array.of(1), { ttlMs });
    process.kill(redis.pid, 'SIGSTOP');
    try {
      const startedAt = performance.now();
      expect(await slowestOf(200, () => cache.get('key'))).toBeLessThan(3 * commandTimeoutMs);
      expect(performance.now() - startedAt).toBeLessThan(10 * commandTimeoutMs);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
    await untilStored(cache);
    expect(await cache.get('key')).toEqual(Buffer.of(3));
  });

  test('a cache that never finds its Redis misses, and closes', async () => {
    await using redis = await startRedis();
    await redis.kill();
    const errors: Error[] = [];
    await using cache = createRedisCache({
      url: redis.url,
      commandTimeoutMs,
      onError: (error) => errors.push(error),
    });
    expect(await slowestOf(10, () => cache.get('key'))).toBeLessThan(commandTimeoutMs);
    await sleep(200);
    expect(errors.length).toBeGreaterThan(0);
  });
});

async function slowestOf(calls: number, call: () => Promise<unknown>): Promise<number> {
  let slowest = 0;
  for (let n = 0; n < calls; n += 1) {
    const startedAt = performance.now();
    expect(await call()).toBeNull();
    slowest = Math.max(slowest, performance.now() - startedAt);
  }
  return slowest;
}

async function untilStored(cache: Cache): Promise<void> {
  const deadline = Date.now() + 10_000;
  do {
    await sleep(20);
    await cache.set('key', Uint8Array.of(3), { ttlMs });
    if ((await cache.get('key'))?.[0] === 3) return;
  } while (Date.now() < deadline);
  throw new Error('Redis is back, but the cache does not use it');
}
