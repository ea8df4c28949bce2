import { setTimeout as sleep } from 'node:timers/promises';
import { createTestRedis, describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createMemoryCache, createRedisCache, createTieredCache } from '../src/index.ts';
import { cacheContract } from './cache-contract.ts';
import { connected } from './connected.ts';

const ttlMs = 60_000;
const memory = () => createMemoryCache({ maxBytes: 10_000_000 });

cacheContract('two caches in process', async () => createTieredCache(memory(), memory()));

describeWithServices('redis', 'with a Redis server', () => {
  cacheContract('a cache in process before one in Redis', async () => {
    const redis = await createTestRedis();
    const far = await connected(createRedisCache({ url: redis.url, commandTimeoutMs: 2_000 }));
    const cache = createTieredCache(memory(), far);
    return {
      ...cache,
      async close() {
        await cache.close();
        await redis[Symbol.asyncDispose]();
      },
    };
  });
});

test('a value of the far cache is served by the near one from the second time on', async () => {
  const [near, far] = [memory(), memory()];
  await using cache = createTieredCache(near, far);
  await far.set('key', Uint8Array.of(1), { ttlMs });
  await cache.get('key');
  await cache.get('key');
  await cache.get('key');
  expect(far.stats()).toMatchObject({ hits: 1 });
  expect(near.stats()).toMatchObject({ hits: 2, misses: 1 });
  expect(cache.stats()).toMatchObject({ hits: 3, misses: 0 });
});

test('a copy stays near no longer than nearTtlMs, however long its entry lives', async () => {
  const [near, far] = [memory(), memory()];
  await using cache = createTieredCache(near, far, { nearTtlMs: 50 });
  await cache.set('key', Uint8Array.of(1), { ttlMs });
  await far.set('key', Uint8Array.of(2), { ttlMs });
  expect((await cache.get('key'))?.[0]).toBe(1);
  await sleep(80);
  expect((await cache.get('key'))?.[0]).toBe(2);
});

test('deleting removes it from both', async () => {
  const [near, far] = [memory(), memory()];
  await using cache = createTieredCache(near, far);
  await cache.set('key', Uint8Array.of(1), { ttlMs });
  await cache.delete('key');
  expect(await near.get('key')).toBeNull();
  expect(await far.get('key')).toBeNull();
});
