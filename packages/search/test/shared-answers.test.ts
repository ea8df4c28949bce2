import { setTimeout as sleep } from 'node:timers/promises';
import { createTestRedis, describeWithServices, startFaultProxy, type TestRedis } from '@sluice/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Replica, type ReplicaOptions, type Searched, startSearched } from './support/searched.ts';

describeWithServices(['postgres', 'redis'], 'replicas that share a Redis', () => {
  let searched: Searched;
  let redis: TestRedis;
  let administrator: Redis;

  beforeAll(async () => {
    searched = await startSearched();
    redis = await createTestRedis();
    administrator = new Redis(redis.url);
    await searched.publish('fox', 'The quick brown fox jumps.');
    await searched.publish('bid', 'Nhà thầu nộp bảo đảm dự thầu.');
  });
  beforeEach(() => administrator.flushdb());
  afterAll(async () => {
    administrator?.disconnect();
    await redis?.[Symbol.asyncDispose]();
    await searched?.[Symbol.asyncDispose]();
  });

  async function connected(options: ReplicaOptions = {}): Promise<Replica> {
    const replica = await searched.replica({ redisUrl: redis.url, ...options });
    await expect.poll(() => replica.cache.ping().then(() => true)).toBe(true);
    return replica;
  }
  const both = (replicas: Replica[], of: 'statements' | 'embedded') => replicas.flatMap((each) => each[of]);
  const request = { query: 'brown fox', k: 2 };

  test('identical queries at the same time are embedded and searched once, by one of them', async () => {
    await using one = await connected();
    await using two = await connected();
    for (const replica of [one, two]) replica.beforeEmbedding = () => sleep(50);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2 ? one : two).ask(request)));
    expect(both([one, two], 'embedded')).toEqual(['brown fox']);
    expect(both([one, two], 'statements')).toHaveLength(1);
    expect(answers.map(({ cached }) => cached).sort()).toEqual(['none', ...Array(59).fill('shared')]);
    for (const { hits } of answers) expect(hits).toEqual(answers[0]?.hits);
  });

  test('an answer of one is found by the other: in Redis, and then in process', async () => {
    await using one = await connected();
    await using two = await connected();
    expect((await one.ask(request)).cached).toBe('none');
    await expect.poll(() => administrator.dbsize()).toBe(2);
    expect((await two.ask(request)).cached).toBe('redis');
    expect((await two.ask(request)).cached).toBe('memory');
    expect((await one.ask(request)).cached).toBe('memory');
    expect(two.statements).toEqual([]);
    expect(two.cache.stats()).toMatchObject({
      memory: { kinds: { answer: { hits: 1, misses: 1 } } },
      redis: { kinds: { answer: { hits: 1, misses: 0 } } },
    });
  });

  test('that nothing was found is shared as well', async () => {
    await using one = await connected();
    await using two = await connected();
    const nowhere = { ...request, filter: { op: 'contains', value: { place: 'nowhere' } } as const };
    const answers = await Promise.all([one.ask(nowhere), two.ask(nowhere)]);
    expect(answers.map(({ hits }) => hits)).toEqual([[], []]);
    expect(await one.ask(nowhere)).toMatchObject({ hits: [], cached: 'memory' });
    expect(both([one, two], 'statements')).toHaveLength(1);
  });

  test('one that dies in the middle costs the others no more than shareWaitMs', async () => {
    const answers = { shareWaitMs: 300 };
    await using one = await connected({ answers });
    await using two = await connected({ answers });
    one.beforeStatement = () => new Promise(() => {});
    void one.ask(request);
    await expect.poll(() => one.statements).toHaveLength(1);

    const startedAt = performance.now();
    const { cached, hits } = await two.ask(request);
    expect(cached).toBe('none');
    expect(hits[0]?.externalId).toBe('fox');
    expect(performance.now() - startedAt).toBeLessThan(300 + 700);
  });

  test('one that fails gives its claim up at once, and the other answers', async () => {
    const answers = { shareWaitMs: 10_000 };
    await using one = await connected({ answers });
    await using two = await connected({ answers });
    const failing = Promise.withResolvers<void>();
    one.beforeEmbedding = () => failing.promise;
    const first = one.ask(request);
    await expect.poll(() => one.embedded).toHaveLength(1);
    const second = two.ask(request);
    await sleep(30);
    expect(two.embedded).toEqual([]);
    const startedAt = performance.now();
    failing.reject(new Error('no embedding today'));
    await expect(first).rejects.toThrow('no embedding today');
    expect((await second).cached).toBe('none');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test('answers of one moment do not all end at one moment, and none lives too long', async () => {
    await using one = await connected({ answers: { ttlMs: 100_000, staleMs: 50_000 } });
    await Promise.all(Array.from({ length: 40 }, (_, i) => one.ask({ query: request.query, k: i + 1 })));
    await expect.poll(() => administrator.dbsize()).toBe(41);
    const keys = await administrator.keys('*answer:*');
    const lives = await Promise.all(keys.map((key) => administrator.pttl(key)));
    expect(Math.max(...lives)).toBeLessThanOrEqual(150_000);
    expect(Math.min(...lives)).toBeGreaterThan(139_000 - 5_000);
    expect(Math.max(...lives) - Math.min(...lives)).toBeGreaterThan(3_000);
  });

  test('an answer past its time is given at once as stale, and made anew once by all of them', async () => {
    const answers = { ttlMs: 1_000, staleMs: 60_000 };
    await using one = await connected({ answers });
    await using two = await connected({ answers });
    await one.ask(request);
    expect((await two.ask(request)).cached).toMatch(/redis|shared/);
    await sleep(1_100);
    const gate = Promise.withResolvers<void>();
    for (const replica of [one, two]) replica.beforeStatement = () => gate.promise;

    const found = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two).ask(request)));
    expect(new Set(found.map(({ cached }) => cached))).toEqual(new Set(['stale']));
    expect(found[0]).toMatchObject({ confirmed: true, hits: [{ externalId: 'fox' }, { externalId: 'bid' }] });
    await expect.poll(() => both([one, two], 'statements')).toHaveLength(2);
    gate.resolve();
    // The one that has made it has it in process; the other finds it in Redis with its next look there.
    const fresh = async (replica: Replica) => (await replica.ask(request)).cached;
    await expect.poll(() => fresh(one)).toBe('memory');
    await expect.poll(() => fresh(two)).toBe('memory');
    expect(both([one, two], 'statements')).toHaveLength(2);
    expect(both([one, two], 'embedded')).toHaveLength(1);
  });

  test('an answer past its time is not given when something was written since', async () => {
    await using one = await connected({ answers: { ttlMs: 50, staleMs: 60_000 } });
    await searched.publish('late', 'An owl sleeps.');
    await one.ask({ query: 'owl', k: 1 });
    await sleep(80);
    await searched.publish('late', 'An owl sleeps all day.');
    const { cached, hits } = await one.ask({ query: 'owl', k: 1 });
    expect(cached).toBe('none');
    expect(hits[0]?.text).toBe('An owl sleeps all day.');
  });

  test.each(['refused', 'lost', 'slow', 'flushed'] as const)(
    'answers go on within a bounded time when Redis is %s',
    async (fault) => {
      const { hostname: host, port } = new URL(redis.url);
      await using proxy = await startFaultProxy({ host, port: Number(port) });
      await using one = await connected({ redisUrl: proxy.through(redis.url) });
      await one.ask(request);
      if (fault === 'slow') proxy.delay(400);
      else if (fault === 'lost') proxy.drop();
      else if (fault === 'flushed') await administrator.flushdb();
      else {
        proxy.refuse();
        proxy.reset();
      }
      let slowest = 0;
      for (let i = 0; i < 30; i += 1) {
        const startedAt = performance.now();
        const { hits, cached } = await one.ask({ query: `brown fox ${i}`, k: 1 });
        slowest = Math.max(slowest, performance.now() - startedAt);
        expect([hits[0]?.externalId, cached]).toEqual(['fox', 'none']);
      }
      // Two lookups of 50 ms each, and the search.
      expect(slowest).toBeLessThan(100 + 900);
      expect((await one.ask({ query: 'brown fox 7', k: 1 })).cached).toBe('memory');
    },
  );
});
