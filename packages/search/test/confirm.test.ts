import { createPool } from '@sluice/pool';
import { type Collection, deleteCollection } from '@sluice/store';
import { createTestRedis, describeWithServices, startFaultProxy, type TestRedis } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Searched, startSearched } from './support/searched.ts';

/** None of these replicas hears of a write: what they know they have asked. */
describeWithServices(['postgres', 'redis'], 'a replica that no notification reaches', () => {
  let searched: Searched;
  let redis: TestRedis;

  beforeAll(async () => {
    searched = await startSearched();
    redis = await createTestRedis();
    await searched.publish('fox', 'The quick brown fox, version 1.');
  });
  afterAll(async () => {
    await redis?.[Symbol.asyncDispose]();
    await searched?.[Symbol.asyncDispose]();
  });
  const request = { query: 'quick brown fox', k: 1 };

  test('answers the next query after a write with what was written', async () => {
    await using one = await searched.replica();
    expect((await one.ask(request)).hits[0]?.text).toContain('version 1');
    expect(await one.ask(request)).toMatchObject({ cached: 'memory', confirmed: true });
    await searched.publish('fox', 'The quick brown fox, version 2.');
    const answer = await one.ask(request);
    expect(answer).toMatchObject({ cached: 'none', confirmed: true });
    expect(answer.hits[0]?.text).toContain('version 2');
    expect(await one.ask(request)).toMatchObject({ cached: 'memory', generation: answer.generation });
  });

  test('gives a query that came after a write no answer of a run from before it', async () => {
    await using one = await searched.replica();
    const gate = Promise.withResolvers<void>();
    const before = await one.ask(request);
    one.beforeStatement = () => gate.promise;
    const running = one.ask({ ...request, k: 3 });
    await expect.poll(() => one.statements).toHaveLength(2);
    await searched.publish('fox', 'The quick brown fox, version 3.');
    one.beforeStatement = async () => {};
    const late = one.ask({ ...request, k: 3 });
    gate.resolve();
    expect((await running).generation).toBe(before.generation);
    expect(await late).toMatchObject({ generation: before.generation + 2, confirmed: true });
    expect(one.statements).toHaveLength(3);
  });

  test('asks the database once for all queries of a moment', async () => {
    const texts: string[] = [];
    const pool = createPool({
      connectionString: searched.databaseUrl,
      size: 2,
      maxOverflow: 0,
      tracer: { query: ({ text }) => void texts.push(text) },
    });
    await using one = await searched.replica({ pool });
    await one.ask(request);
    texts.length = 0;
    const answers = await Promise.all(Array.from({ length: 200 }, () => one.ask(request)));
    expect(answers.every(({ confirmed }) => confirmed)).toBe(true);
    expect(texts.filter((text) => text.includes('sluice.collections')).length).toBeLessThanOrEqual(2);
    await one[Symbol.asyncDispose]();
    await pool.drain();
  });

  test('says so when the database cannot confirm in time, and answers all the same', {
    timeout: 40_000,
  }, async () => {
    const { hostname: host, port } = new URL(searched.databaseUrl);
    await using proxy = await startFaultProxy({ host, port: Number(port) });
    const pool = createPool({
      connectionString: proxy.through(searched.databaseUrl),
      size: 2,
      maxOverflow: 0,
    });
    {
      await using one = await searched.replica({ pool, confirmMs: 100 });
      await one.ask(request);
      proxy.drop();
      for (let i = 0; i < 10; i += 1) {
        const startedAt = performance.now();
        expect(await one.ask(request)).toMatchObject({ cached: 'memory', confirmed: false });
        expect(performance.now() - startedAt).toBeLessThan(2 * 100 + 800);
      }
      await proxy.heal();
      await expect.poll(async () => (await one.ask(request)).confirmed, { timeout: 20_000 }).toBe(true);
    }
    await pool.drain();
  });

  test('without being allowed to ask it gives what it has, and says that this is not confirmed', async () => {
    await using one = await searched.replica({ confirms: false });
    expect(await one.ask(request)).toMatchObject({ cached: 'none', confirmed: true });
    expect(await one.ask(request)).toMatchObject({ cached: 'memory', confirmed: false });
  });

  test('answers from the collection that has the name now, or says that there is none', async () => {
    const own = await startSearched();
    {
      await using one = await own.replica();
      await own.publish('fox', 'An old fox.');
      await one.ask(request);
      await one.ask(request);
      const { id } = (await one.catalog.byName('test')) as Collection;
      await own.pool.lane('control').transaction((transaction) => deleteCollection(transaction, id));
      const created = await own.create();
      await own.publish('fox', 'A new fox.');
      expect((await one.ask(request)).hits[0]?.text).toBe('A new fox.');
      await one.ask(request);

      await own.pool.lane('control').transaction((transaction) => deleteCollection(transaction, created.id));
      await expect(one.ask(request)).rejects.toMatchObject({ code: 'collection_not_found' });
    }
    await own[Symbol.asyncDispose]();
  });

  const seed = Number(process.env.STRESS_SEED ?? Date.now() % 1_000_000_000);
  const operations = 2_000;
  test(`in ${operations} interleavings every query finds what was written before it (STRESS_SEED=${seed})`, {
    timeout: 120_000,
  }, async () => {
    const random = randomFrom(seed);
    await using one = await searched.replica({ redisUrl: redis.url });
    await using two = await searched.replica({ redisUrl: redis.url });
    const replicas = [one, two];
    const subjects = ['ant', 'bee', 'cow', 'dog'].map((name) => ({ name, written: 0, writing: false }));
    const counts: Record<string, number> = {};
    let left = operations;
    for (const subject of subjects) await write(subject);

    async function write(subject: (typeof subjects)[number]): Promise<void> {
      subject.writing = true;
      const version = subject.written + 1;
      await searched.publish(subject.name, `All about the ${subject.name} ${subject.name}: v${version}.`);
      subject.written = version;
      subject.writing = false;
      counts.writes = (counts.writes ?? 0) + 1;
    }

    async function act(): Promise<void> {
      const subject = subjects[Math.floor(random() * subjects.length)] as (typeof subjects)[number];
      if (random() < 0.15 && !subject.writing) return write(subject);
      const atLeast = subject.written;
      const replica = replicas[Math.floor(random() * 2)] as (typeof replicas)[number];
      const { hits, cached, confirmed } = await replica.ask({
        query: `all about the ${subject.name} ${subject.name}`,
        k: 1,
      });
      const found = Number(/: v(\d+)\.$/.exec(hits[0]?.text ?? '')?.[1]);
      counts[cached] = (counts[cached] ?? 0) + 1;
      if (!confirmed || hits[0]?.externalId !== subject.name || found < atLeast) {
        throw new Error(
          `STRESS_SEED=${seed}: v${found} of ${hits[0]?.externalId} (${cached}), expected v${atLeast} or later of ${subject.name}`,
        );
      }
    }
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (; left > 0; left -= 1) await act();
      }),
    );
    // It has to have been about cached and shared answers, not about runs alone.
    expect(counts.memory).toBeGreaterThan(operations / 20);
    expect((counts.shared ?? 0) + (counts.redis ?? 0)).toBeGreaterThan(0);
    expect(counts.writes).toBeGreaterThan(operations / 20);
  });
});

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
