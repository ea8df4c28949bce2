import type { AnswerBody } from '@sluice/contract';
import { createPool, type Pool } from '@sluice/pool';
import {
  createTestRedis,
  describeWithServices,
  type EmbeddingsServer,
  startEmbeddingsServer,
  startFaultProxy,
  startPostgres,
} from '@sluice/testing';
import { runWorker } from '@sluice/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from './support/client.ts';
import { type ForkedGateway, forkGateway } from './support/forked-gateway.ts';
import { migrateServer } from './support/own-server.ts';
import type { Environment } from './support/running-service.ts';

const shareWaitMs = 1_500;

describeWithServices(['postgres', 'redis', 'processes'], 'two gateways that share a Redis', () => {
  const stack = new AsyncDisposableStack();
  let environment: Environment;
  let embeddings: EmbeddingsServer;
  let gateways: [ForkedGateway, ForkedGateway];
  let pool: Pool;

  beforeAll(async () => {
    const server = stack.use(
      await startPostgres({ settings: { shared_preload_libraries: 'pg_stat_statements' } }),
    );
    await migrateServer(server.url, false);
    embeddings = stack.use(await startEmbeddingsServer({ dimensions: 64, latencyMs: 100 }));
    environment = {
      PORT: '0',
      LOG_LEVEL: 'silent',
      DATABASE_URL: server.url,
      REDIS_URL: stack.use(await createTestRedis()).url,
      EMBEDDING_PROVIDER: 'openai',
      EMBEDDING_DIMENSIONS: '64',
      OPENAI_BASE_URL: embeddings.baseUrl,
      OPENAI_API_KEY: 'not checked by this server',
      CACHE_SHARE_WAIT_MS: String(shareWaitMs),
    };
    pool = createPool({ connectionString: server.url, size: 1, maxOverflow: 0 });
    stack.defer(() => pool.drain());
    await pool.query('create extension pg_stat_statements');
    const worker = await runWorker(environment);
    stack.defer(() => worker.stop());
    gateways = [stack.use(await forkGateway(environment)), stack.use(await forkGateway(environment))];
    await createClient(gateways[0].url).upload('quokka.txt', 'The quokka is a small marsupial.');
  }, 120_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  /** Of vectors, as the server has counted them. */
  async function searches(): Promise<number> {
    const { rows } = await pool.query<{ calls: number }>(
      "select coalesce(sum(calls), 0)::int as calls from pg_stat_statements where query like '%<=>%'",
    );
    return rows[0]?.calls ?? 0;
  }
  const embedded = (text: string) => embeddings.requests.filter(({ texts }) => texts.includes(text)).length;
  const ask = (i: number, body: Record<string, unknown>): Promise<AnswerBody> =>
    createClient((gateways[i % 2] as ForkedGateway).url).query(body);

  test('answer 60 identical queries at once by one embedding and one search', async () => {
    // Those that know of different generations have different keys.
    const generations = () => Promise.all([ask(0, { query: 'first' }), ask(1, { query: 'first' })]);
    await expect
      .poll(async () => new Set((await generations()).map(({ answer }) => answer.generation)).size)
      .toBe(1);
    const before = await searches();
    const query = 'small marsupial';
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => ask(i, { query })));
    expect(embedded(query)).toBe(1);
    expect(await searches()).toBe(before + 1);
    const sources = answers.map(({ answer }) => answer.cached);
    expect(sources.filter((cached) => cached === 'none')).toHaveLength(1);
    for (const { results } of answers) expect(results).toEqual(answers[0]?.results);

    const again = await Promise.all([ask(0, { query }), ask(1, { query })]);
    expect(again.map(({ answer }) => answer)).toMatchObject([
      { cached: 'memory', confirmed: true, timings: { embed_ms: 0, search_ms: 0 } },
      { cached: 'memory', confirmed: true, timings: { embed_ms: 0, search_ms: 0 } },
    ]);
    expect(await searches()).toBe(before + 1);
  });

  test('remember for each other that nothing was found', async () => {
    const before = await searches();
    const body = { query: 'wombat', filter: { place: 'nowhere' } };
    expect(await ask(0, body)).toMatchObject({ results: [], answer: { cached: 'none' } });
    expect(await ask(1, body)).toMatchObject({ results: [], answer: { cached: /redis|shared/ } });
    expect(await ask(0, body)).toMatchObject({ results: [], answer: { cached: 'memory' } });
    expect(await searches()).toBe(before + 1);
  });

  test('wait for one that is killed while it answers no longer than CACHE_SHARE_WAIT_MS', {
    timeout: 60_000,
  }, async () => {
    await using doomed = await forkGateway(environment);
    const query = 'who is killed';
    embeddings.failNext({ kind: 'slow', ms: 20_000 });
    const lost = createClient(doomed.url).query({ query });
    await Promise.all([
      expect(lost).rejects.toThrow(),
      expect
        .poll(() => embedded(query), { timeout: 10_000 })
        .toBe(1)
        .then(() => doomed.child.kill('SIGKILL')),
    ]);
    const startedAt = performance.now();
    const { answer } = await ask(0, { query });
    expect(answer.cached).toBe('none');
    expect(performance.now() - startedAt).toBeLessThan(shareWaitMs + 1_500);
    expect(embedded(query)).toBe(2);
  });

  test('go on without the Redis of the cache while the network loses what is sent to it', {
    timeout: 60_000,
  }, async () => {
    const redis = new URL(environment.REDIS_URL as string);
    await using proxy = await startFaultProxy({ host: redis.hostname, port: Number(redis.port) });
    await using third = await forkGateway({
      ...environment,
      CACHE_REDIS_URL: proxy.through(redis.href),
    });
    const query = (text: string) => createClient(third.url).query({ query: text });
    const fromRedis = async (text: string) => {
      await ask(0, { query: text });
      return (await query(text)).answer.cached;
    };
    expect(await fromRedis('before')).toMatch(/redis|shared/);
    proxy.drop();
    for (let i = 0; i < 8; i += 1) {
      const startedAt = performance.now();
      const { results, answer } = await query(`without Redis ${i}`);
      expect([results.length, answer.cached]).toEqual([1, 'none']);
      // 100 ms of the provider, and two lookups of 50 ms at most.
      expect(performance.now() - startedAt).toBeLessThan(200 + 1_000);
    }
    await proxy.heal();
    let i = 0;
    await expect.poll(() => fromRedis(`after ${i++}`), { timeout: 20_000 }).toMatch(/redis|shared/);
  });
});
