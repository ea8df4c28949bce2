import { randomUUID } from 'node:crypto';
import { createTestRedis, describeWithServices, startRedis } from '@sluice/testing';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { createRedisStore, type ExchangeRequest } from '../../src/budget/index.ts';
import { type Ledger, newLedger, settle } from '../../src/budget/ledger.ts';
import { storeContract } from './support/store-contract.ts';

const request = (turn: number, changes: Partial<ExchangeRequest> = {}): ExchangeRequest => ({
  ...{ id: 'a', weight: 1, floor: 2, cap: 100, held: 0, request: 5, ttlMs: 400, limit: 20, turn },
  ...changes,
});

describeWithServices('redis', 'with a Redis server', () => {
  storeContract('the store in Redis', async () => {
    const server = await createTestRedis();
    const [one, two] = [new Redis(server.url), new Redis(server.url)];
    return {
      stores: [createRedisStore({ redis: one }), createRedisStore({ redis: two })],
      async lose() {
        await one.flushdb();
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([one.quit(), two.quit()]);
        await server[Symbol.asyncDispose]();
      },
    };
  });

  test('the script in Redis and the ledger in TypeScript come to the same answers', async () => {
    await using server = await createTestRedis();
    const redis = new Redis(server.url);
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      weight: fc.constantFrom(0.5, 1, 2),
      floor: fc.integer({ min: 1, max: 6 }),
      held: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 12 })),
      request: fc.integer({ min: 1, max: 25 }),
      limit: fc.constantFrom(15, 20, 20, 20),
      passes: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constantFrom(90, 150, 210, 300, 5_000, -50)),
      late: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        let at = 1_800_000_000_000;
        let ledger: Ledger | undefined;
        const store = createRedisStore({
          name: randomUUID(),
          redis: {
            // Redis has no clock that could be set, so the script is told the time.
            eval(script, keys, ...args) {
              const time = `{${Math.floor(at / 1_000)}, ${(at % 1_000) * 1_000}}`;
              return redis.eval(script.replace("redis.call('TIME')", time), keys, ...args);
            },
          },
        });
        for (const [index, { passes, late, ...each }] of steps.entries()) {
          at += passes;
          const wanted = Math.max(each.request, each.floor);
          const asked = request(late ? index - 3 : index, { ...each, request: wanted, cap: 30 });
          const expected = settle(ledger ?? newLedger(at, { fresh: false }), asked, at);
          ledger = expected.ledger;
          expect(byId(await store.exchange(asked))).toEqual(byId(expected.answer));
        }
      }),
      { numRuns: 60 },
    );
    await redis.quit();
  });

  test('fleets with different names or prefixes do not see each other', async () => {
    await using server = await createTestRedis();
    const redis = new Redis(server.url);
    for (const options of [{}, { name: 'other' }, { prefix: 'p:' }]) {
      const { members } = await createRedisStore({ redis, ...options }).exchange(request(1));
      expect(members).toHaveLength(1);
    }
    const keys = ['p:{default}', 'sluice:fleet:{default}', 'sluice:fleet:{other}'];
    expect((await redis.keys('*')).sort()).toEqual(keys);
    await redis.quit();
  });

  test('what is no answer of the script is an error', async () => {
    const store = createRedisStore({ redis: { eval: async () => 3 } });
    await expect(store.exchange(request(1))).rejects.toThrow(/answered the exchange with number/);
  });
});

describeWithServices('processes', 'when Redis restarts', () => {
  test('with what it had on disk, nobody grows on it until members could come back', async () => {
    await using server = await startRedis({ settings: { appendonly: 'yes', appendfsync: 'always' } });
    const redis = new Redis(server.url, { retryStrategy: () => 50 });
    redis.on('error', () => {});
    const store = createRedisStore({ redis });
    while ((await store.exchange(request(Date.now() % 1e9))).settling) {}
    await server.kill();
    await server.start();
    const answer = await store.exchange(request(2 ** 30, { held: 5, request: 15 }));
    expect(answer).toMatchObject({ granted: 5, settling: true });
    const newcomer = await store.exchange(request(1, { id: 'new' }));
    expect(newcomer).toMatchObject({ granted: 0, settling: true });
    redis.disconnect();
  });
});

function byId({
  granted,
  settling,
  members,
}: Awaited<ReturnType<ReturnType<typeof createRedisStore>['exchange']>>) {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { granted, settling, members: sorted };
}
