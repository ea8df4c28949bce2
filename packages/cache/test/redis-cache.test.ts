import { setTimeout as sleep } from 'node:timers/promises';
import { createTestRedis, describeWithServices, startFaultProxy, startRedis } from '@sluice/testing';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { type Cache, createRedisCache } from '../src/index.ts';
import { cacheContract, expectLookupsCounted } from './cache-contract.ts';
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

  test('counts its lookups by kind', async () => {
    await using redis = await createTestRedis();
    await using cache = await connected(createRedisCache({ url: redis.url, commandTimeoutMs: 2_000 }));
    await expectLookupsCounted(cache);
  });

  test('a process that was busy for longer than the time-out still gets what has come meanwhile', async () => {
    await using redis = await createTestRedis();
    await using cache = await connected(createRedisCache({ url: redis.url, commandTimeoutMs: 20 }));
    await cache.set('key', Uint8Array.of(1), { ttlMs });
    for (let n = 0; n < 5; n += 1) {
      const found = cache.get('key');
      // The command leaves with the turn of the event loop that it was given in.
      await new Promise(setImmediate);
      const until = performance.now() + 100;
      while (performance.now() < until);
      expect(await found).not.toBeNull();
    }
    expect(cache.stats().errors).toBe(0);
  });

  describe('of those who miss an entry', () => {
    const claim = (token: string, ms = ttlMs) => ({ token, ms, renewMs: 1_000 });
    const open = (url: string) => connected(createRedisCache({ url, commandTimeoutMs: 2_000 }));

    test('one has the claim, and the others hear that somebody is at it, until it is filled', async () => {
      await using redis = await createTestRedis();
      await using one = await open(redis.url);
      await using two = await open(redis.url);
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, n) => (n % 2 ? one : two).getOrClaim('answer:1', claim(`${n}`))),
      );
      const winner = outcomes.findIndex(({ claimed }) => claimed);
      expect(outcomes.filter(({ claimed }) => claimed)).toHaveLength(1);
      expect(outcomes.every(({ entry }) => entry === null)).toBe(true);
      expect(one.stats().kinds.answer!.busy + two.stats().kinds.answer!.busy).toBe(49);

      await one.fill('answer:1', Uint8Array.of(7), { ttlMs, token: `${winner}` });
      const { entry, claimed } = await two.getOrClaim('answer:1', claim('late'));
      expect([entry?.value[0], claimed]).toEqual([7, false]);
    });

    test('the next one has it when its holder releases it, or dies', async () => {
      await using redis = await createTestRedis();
      await using cache = await open(redis.url);
      expect((await cache.getOrClaim('key', claim('a'))).claimed).toBe(true);
      expect((await cache.getOrClaim('key', claim('b'))).claimed).toBe(false);
      await cache.release('key', 'a');
      expect((await cache.getOrClaim('key', claim('c', 50))).claimed).toBe(true);
      await sleep(80);
      expect((await cache.getOrClaim('key', claim('d'))).claimed).toBe(true);
    });

    test('one whose claim has ended does not end that of another', async () => {
      await using redis = await createTestRedis();
      await using cache = await open(redis.url);
      await cache.getOrClaim('key', claim('slow', 20));
      await sleep(50);
      await cache.getOrClaim('key', claim('next'));
      await cache.release('key', 'slow');
      await cache.fill('other', Uint8Array.of(1), { ttlMs, token: 'slow' });
      expect((await cache.getOrClaim('key', claim('third'))).claimed).toBe(false);
    });

    test('an entry that lives for no longer than it should can be claimed as well, and is given', async () => {
      await using redis = await createTestRedis();
      await using cache = await open(redis.url);
      await cache.set('key', Uint8Array.of(1), { ttlMs: 900 });
      const first = await cache.getOrClaim('key', claim('a'));
      const second = await cache.getOrClaim('key', claim('b'));
      expect([first.entry?.value[0], first.claimed]).toEqual([1, true]);
      expect([second.entry?.value[0], second.claimed]).toEqual([1, false]);
    });
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
    await expect(cache.ping()).rejects.toMatchObject({ code: 'cache_unavailable' });
    expect(cache.stats().errors).toBeGreaterThanOrEqual(20);

    await redis.start();
    await untilStored(cache);
    expect((await cache.get('key'))?.value).toEqual(Buffer.of(3));
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
    expect((await cache.get('key'))?.value).toEqual(Buffer.of(3));
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

describeWithServices('redis', 'behind a network with faults', () => {
  const faults = ['refused', 'lost', 'slow'] as const;
  test.each(faults)('lookups are bounded when it is %s, and everybody has the claim', async (fault) => {
    await using redis = await createTestRedis();
    const { hostname: host, port } = new URL(redis.url);
    await using proxy = await startFaultProxy({ host, port: Number(port) });
    await using cache = await connected(
      createRedisCache({ url: proxy.through(redis.url), commandTimeoutMs }),
    );
    await cache.set('key', Uint8Array.of(1), { ttlMs });
    expect(await cache.get('key')).not.toBeNull();

    if (fault === 'slow') proxy.delay(5 * commandTimeoutMs);
    else if (fault === 'lost') proxy.drop();
    else {
      proxy.refuse();
      proxy.reset();
    }
    const startedAt = performance.now();
    expect(await slowestOf(200, () => cache.get('key'))).toBeLessThan(3 * commandTimeoutMs);
    expect(performance.now() - startedAt).toBeLessThan(10 * commandTimeoutMs);
    for (const token of ['a', 'b']) {
      expect(await cache.getOrClaim('other', { token, ms: ttlMs, renewMs: 0 })).toEqual({
        entry: null,
        claimed: true,
      });
    }

    await proxy.heal();
    await untilStored(cache);
  });

  test('a flushed one is filled again, its scripts included', async () => {
    await using redis = await createTestRedis();
    await using cache = await connected(createRedisCache({ url: redis.url, commandTimeoutMs: 2_000 }));
    await cache.set('key', Uint8Array.of(1), { ttlMs });
    const administrator = new Redis(redis.url);
    await administrator.flushdb();
    await administrator.script('FLUSH');
    await administrator.quit();
    expect(await cache.get('key')).toBeNull();
    expect((await cache.getOrClaim('key', { token: 'a', ms: ttlMs, renewMs: 0 })).claimed).toBe(true);
    await cache.fill('key', Uint8Array.of(2), { ttlMs, token: 'a' });
    expect((await cache.get('key'))?.value[0]).toBe(2);
    expect(cache.stats().errors).toBe(0);
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
    if ((await cache.get('key'))?.value[0] === 3) return;
  } while (Date.now() < deadline);
  throw new Error('Redis is back, but the cache does not use it');
}
