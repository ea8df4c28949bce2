import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from '@sluice/store';
import { createTestRedis, describeWithServices, type TestRedis } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LockedChunks, lockChunks } from './support/locked-chunks.ts';
import { type Replica, type ReplicaOptions, type Searched, startSearched } from './support/searched.ts';

const within = { timeout: 1_000, interval: 10 };

describeWithServices(['postgres', 'redis'], 'searches that nobody waits for any more', () => {
  let searched: Searched;
  let redis: TestRedis;

  beforeAll(async () => {
    searched = await startSearched();
    redis = await createTestRedis();
    await searched.publish('fox', 'The quick brown fox jumps.');
  });
  afterAll(async () => {
    await redis?.[Symbol.asyncDispose]();
    await searched?.[Symbol.asyncDispose]();
  });

  async function lock(replica: Replica): Promise<LockedChunks> {
    return lockChunks(searched.pool, ((await replica.catalog.byName('test')) as Collection).id);
  }
  async function connected(options: ReplicaOptions): Promise<Replica> {
    const replica = await searched.replica({ redisUrl: redis.url, ...options });
    await expect.poll(() => replica.cache.ping().then(() => true)).toBe(true);
    return replica;
  }
  async function expectNothingLeft(locked: LockedChunks): Promise<void> {
    await expect.poll(() => locked.searching(), within).toBe(0);
    // What is still lent holds the lock.
    await expect.poll(() => searched.pool.status().checked_out, within).toBe(1);
  }

  test('a search that is over its time is told so at once, and its statement ends on the server', async () => {
    await using one = await searched.replica();
    await using locked = await lock(one);
    const startedAt = performance.now();
    const asked = one.ask({ query: 'late fox', k: 1, signal: AbortSignal.timeout(300) });
    const refused = expect(asked).rejects.toThrow(expect.objectContaining({ name: 'TimeoutError' }));
    await expect.poll(() => locked.searching(), within).toBe(1);
    await refused;
    expect(performance.now() - startedAt).toBeLessThan(300 + 700);
    await expectNothingLeft(locked);
  });

  test.each(['the first', 'the second'] as const)(
    'when %s of two that share a run leaves, the other gets its answer',
    async (leaving) => {
      await using one = await searched.replica();
      const request = { query: `fox shared, ${leaving} leaves`, k: 1 };
      const leave = new AbortController();
      const { signal } = leave;
      {
        await using locked = await lock(one);
        const first = one.ask({ ...request, ...(leaving === 'the first' && { signal }) });
        const second = one.ask({ ...request, ...(leaving === 'the second' && { signal }) });
        const [left, staying] = leaving === 'the first' ? [first, second] : [second, first];
        await expect.poll(() => locked.searching(), within).toBe(1);
        leave.abort(new Error('has left'));
        await expect(left).rejects.toThrow('has left');
        await sleep(100);
        expect(await locked.searching()).toBe(1);
        await locked[Symbol.asyncDispose]();
        expect((await staying).hits).toHaveLength(1);
      }
      expect(one.statements).toHaveLength(1);
      expect(searched.pool.status().checked_out).toBe(0);
    },
  );

  test('when both leave, their run is cancelled, and whoever comes then runs anew', async () => {
    await using one = await searched.replica();
    const request = { query: 'fox that everybody leaves', k: 1 };
    {
      await using locked = await lock(one);
      const leaves = [new AbortController(), new AbortController()];
      const asked = leaves.map(({ signal }) => one.ask({ ...request, signal }));
      await expect.poll(() => locked.searching(), within).toBe(1);
      for (const leave of leaves) leave.abort(new Error('has left'));
      for (const each of asked) await expect(each).rejects.toThrow('has left');
      await expectNothingLeft(locked);
    }
    expect(await one.ask(request)).toMatchObject({ cached: 'none', hits: [{ externalId: 'fox' }] });
  });

  test('the estimate of a filter ends as well', async () => {
    await using one = await searched.replica();
    await searched.pool.query(`update sluice.collections set vector_index = 'hnsw'`);
    await one.catalog.refresh();
    {
      await using locked = await lock(one);
      const filter = { op: 'contains', value: { place: 'nowhere' } } as const;
      const asked = one.ask({ query: 'fox', k: 1, filter, signal: AbortSignal.timeout(200) });
      await expect(asked).rejects.toThrow();
      expect(one.statements).toEqual([expect.stringContaining('tablesample')]);
      await expectNothingLeft(locked);
    }
    await searched.pool.query(`update sluice.collections set vector_index = 'none'`);
  });

  test('a text that nobody waits for is no longer embedded', async () => {
    await using one = await searched.replica();
    const never = Promise.withResolvers<void>();
    one.beforeEmbedding = () => never.promise;
    const leave = new AbortController();
    const asked = one.ask({ query: 'an embedding without end', k: 1, signal: leave.signal });
    await expect.poll(() => one.embedded).toHaveLength(1);
    leave.abort(new Error('has left'));
    await expect(asked).rejects.toThrow('has left');
    expect(one.embeddingSignals[0]?.aborted).toBe(true);
    expect(one.statements).toEqual([]);
    never.resolve();
  });

  test('the claim of a cancelled run is given up, so that no other process waits for it', async () => {
    const answers = { shareWaitMs: 10_000 };
    await using one = await connected({ answers });
    await using two = await connected({ answers });
    const leave = new AbortController();
    one.beforeEmbedding = () => new Promise(() => {});
    const request = { query: 'fox that was claimed', k: 1 };
    const first = one.ask({ ...request, signal: leave.signal });
    await expect.poll(() => one.embedded).toHaveLength(1);
    const second = two.ask(request);
    await sleep(50);
    expect(two.embedded).toEqual([]);
    const startedAt = performance.now();
    leave.abort(new Error('has left'));
    await expect(first).rejects.toThrow('has left');
    expect((await second).cached).toBe('none');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test('one that waits for another process leaves at once, and the other goes on', async () => {
    const answers = { shareWaitMs: 10_000 };
    await using one = await connected({ answers });
    await using two = await connected({ answers });
    const gate = Promise.withResolvers<void>();
    one.beforeEmbedding = () => gate.promise;
    const request = { query: 'fox that another makes', k: 1 };
    const first = one.ask(request);
    await expect.poll(() => one.embedded).toHaveLength(1);
    const asked = two.ask({ ...request, signal: AbortSignal.timeout(50) });
    await expect(asked).rejects.toThrow();
    gate.resolve();
    expect((await first).cached).toBe('none');
    expect(two.embedded).toEqual([]);
  });

  test('an answer that is made anew in the background has a time limit of its own', async () => {
    await using one = await searched.replica({
      answers: { ttlMs: 20, staleMs: 60_000, renewTimeoutMs: 400 },
    });
    const request = { query: 'fox made anew', k: 1 };
    await one.ask(request);
    await sleep(40);
    await using locked = await lock(one);
    const leave = new AbortController();
    expect((await one.ask({ ...request, signal: leave.signal })).cached).toBe('stale');
    leave.abort();
    await expect.poll(() => locked.searching(), within).toBe(1);
    await sleep(100);
    expect(await locked.searching()).toBe(1);
    await expectNothingLeft(locked);
  });
});
