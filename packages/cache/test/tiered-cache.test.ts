import { setTimeout as sleep } from 'node:timers/promises';
import { createTestRedis, describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createMemoryCache, createRedisCache, createTieredCache } from '../src/index.ts';
import { cacheContract } from './cache-contract.ts';
import { connected } from './connected.ts';

const ttlMs = 60_000;
const memory = () => createMemoryCache({ maxBytes: 10_000_000 });
const redisAt = (url: string) => connected(createRedisCache({ url, commandTimeoutMs: 2_000 }));

cacheContract('a cache in process before none', async () => createTieredCache(memory()));

test('without a shared cache everybody has the claim', async () => {
  await using cache = createTieredCache(memory());
  for (const token of ['a', 'b']) {
    expect(await cache.getFarOrClaim('key', { token, ms: ttlMs, renewMs: 0 })).toEqual({
      entry: null,
      claimed: true,
    });
  }
  await cache.fill('key', Uint8Array.of(1), { ttlMs, token: 'a' });
  expect(await cache.get('key')).toMatchObject({ value: Uint8Array.of(1), level: 'memory' });
  expect(Object.keys(cache.stats())).toEqual(['memory']);
});

describeWithServices('redis', 'with a Redis server', () => {
  cacheContract('a cache in process before one in Redis', async () => {
    const redis = await createTestRedis();
    const cache = createTieredCache(memory(), await redisAt(redis.url));
    return {
      ...cache,
      async close() {
        await cache.close();
        await redis[Symbol.asyncDispose]();
      },
    };
  });

  test('a value of the far cache is served by the near one from the second time on', async () => {
    await using redis = await createTestRedis();
    await using other = await redisAt(redis.url);
    await using cache = createTieredCache(memory(), await redisAt(redis.url));
    await other.set('key', Uint8Array.of(1), { ttlMs });
    expect((await cache.get('key'))?.level).toBe('redis');
    expect((await cache.get('key'))?.level).toBe('memory');
    expect((await cache.getNear('key'))?.level).toBe('memory');
    expect(cache.stats()).toMatchObject({
      memory: { kinds: { key: { hits: 2, misses: 1 } } },
      redis: { kinds: { key: { hits: 1, misses: 0 } } },
    });
  });

  test('a copy in process dies with its entry, whoever set it', async () => {
    await using redis = await createTestRedis();
    await using other = await redisAt(redis.url);
    await using cache = createTieredCache(memory(), await redisAt(redis.url));
    await other.set('key', Uint8Array.of(1), { ttlMs: 300 });
    await sleep(100);
    const { ttlMs: left = 0 } = (await cache.get('key')) ?? {};
    expect(left).toBeLessThanOrEqual(200);
    expect((await cache.getNear('key'))?.ttlMs).toBeLessThanOrEqual(200);
    await sleep(250);
    expect(await cache.getNear('key')).toBeNull();
  });

  test('what is filled is there for this process at once, and for others when Redis has it', async () => {
    await using redis = await createTestRedis();
    await using one = createTieredCache(memory(), await redisAt(redis.url));
    await using two = createTieredCache(memory(), await redisAt(redis.url));
    const claim = { token: 'a', ms: ttlMs, renewMs: 0 };
    expect(await one.getFarOrClaim('key', claim)).toEqual({ entry: null, claimed: true });
    const filled = one.fill('key', Uint8Array.of(1), { ttlMs, token: 'a' });
    expect(await one.getNear('key')).not.toBeNull();
    await filled;
    const { entry } = await two.getFarOrClaim('key', { ...claim, token: 'b' });
    expect(entry).toMatchObject({ level: 'redis' });
    expect(await two.getNear('key')).toMatchObject({ level: 'memory' });
  });
});
