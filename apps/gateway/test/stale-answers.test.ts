import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerBody } from '@sluice/contract';
import { createTestRedis, describeWithServices, startPostgres, startRedis } from '@sluice/testing';
import { expect, test } from 'vitest';
import { runGateway } from '../src/index.ts';
import { createClient, problemOf } from './support/client.ts';
import { migrateServer } from './support/own-server.ts';
import { startSluice, untilReady } from './support/running-service.ts';

const question = { query: 'brown fox', k: 1 };

function ask(url: string, body: Record<string, unknown>): Promise<Response> {
  return fetch(`${url}/v1/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

describeWithServices(['postgres', 'redis', 'processes'], 'while Postgres is stopped', () => {
  test('old answers are given where that is allowed, by any gateway, and say so', {
    timeout: 120_000,
  }, async () => {
    await using server = await startPostgres();
    await migrateServer(server.url, false);
    const allowed = { DATABASE_URL: server.url, CACHE_STALE_IF_ERROR_SECONDS: '600', CACHE_TTL_SECONDS: '1' };
    await using one = await startSluice('services', { ...allowed, CACHE_STALE_SECONDS: '0' });
    const client = createClient(one.url);
    await using stack = new AsyncDisposableStack();
    const another = async (change: Record<string, string>): Promise<string> => {
      const gateway = await runGateway({ ...one.environment, ...change });
      stack.defer(() => gateway.stop());
      await untilReady(gateway.url);
      return gateway.url;
    };
    const two = await another({});
    const strict = await another({ CACHE_STALE_IF_ERROR_SECONDS: '0' });

    await client.upload('fox.txt', 'The quick brown fox jumps.', { external_id: 'fox' });
    const before = await client.query(question);
    expect(before.answer).toMatchObject({ cached: 'none', degraded: [] });
    await client.upload('owl.txt', 'An owl sleeps.');
    await server.stop();

    for (const url of [one.url, two]) {
      const startedAt = performance.now();
      const { results, answer } = (await (await ask(url, question)).json()) as AnswerBody;
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      expect(results).toEqual(before.results);
      expect(answer).toMatchObject({
        cached: 'stale',
        confirmed: false,
        generation: before.answer.generation,
        degraded: [{ code: 'stale_answer', detail: expect.stringMatching(/its answer of \d+ s ago/) }],
      });
    }
    await sleep(1_100);
    const refused = await Promise.all([
      ask(strict, question),
      ask(strict, { ...question, max_stale_seconds: 600 }),
      ask(one.url, { ...question, max_stale_seconds: 0 }),
      ask(one.url, { ...question, max_stale_seconds: 1 }),
      ask(one.url, { ...question, query: 'never asked before' }),
    ]);
    for (const answer of refused) {
      expect(await problemOf(answer)).toMatchObject({ status: 503, code: 'database_unavailable' });
    }

    await server.start();
    const generation = before.answer.generation + 1;
    await expect
      .poll(async () => (await client.query(question)).answer, { timeout: 20_000 })
      .toMatchObject({ degraded: [], generation });
  });

  test('with Redis gone as well, each gateway gives what it has answered itself', {
    timeout: 120_000,
  }, async () => {
    await using server = await startPostgres();
    await using redis = await startRedis();
    await using queue = await createTestRedis();
    await migrateServer(server.url, false);
    await using sluice = await startSluice('services', {
      DATABASE_URL: server.url,
      REDIS_URL: queue.url,
      CACHE_REDIS_URL: redis.url,
      CACHE_STALE_IF_ERROR_SECONDS: '600',
      CACHE_TTL_SECONDS: '1',
      CACHE_STALE_SECONDS: '0',
    });
    const client = createClient(sluice.url);
    await client.upload('fox.txt', 'The quick brown fox jumps.');
    await client.query(question);
    await redis.stop();
    // Postgres alone answers, and goes on to be asked.
    for (let i = 0; i < 10; i += 1) {
      const startedAt = performance.now();
      expect((await client.query({ ...question, query: `fox ${i}` })).answer).toMatchObject({
        cached: 'none',
        degraded: [],
      });
      expect(performance.now() - startedAt).toBeLessThan(1_500);
    }
    await server.stop();
    await sleep(1_100);
    const { results, answer } = await client.query({ ...question, query: 'fox 3' });
    expect(results).toHaveLength(1);
    expect(answer).toMatchObject({ cached: 'stale', degraded: [{ code: 'stale_answer' }] });
  });
});
