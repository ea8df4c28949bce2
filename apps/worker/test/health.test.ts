import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from '@sluice/pool';
import { createApiKey, revokeApiKey } from '@sluice/store';
import { describeWithServices, startEmbeddingsServer, startRedis } from '@sluice/testing';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { runWorker } from '../src/index.ts';
import { startBench } from './support/bench-of-workers.ts';
import { ask } from './support/status.ts';

const openAi = { embeddingProvider: 'openai', embeddingModel: 'fake', dimensions: 64 };
const unlimited = {
  collections: null,
  expiresAt: null,
  requestsPerMinute: null,
  uploadsPerDay: null,
  uploadBytesPerDay: null,
};
const key = 'a-key-of-at-least-16-characters';

async function startWorker(environment: Record<string, string>) {
  const worker = await runWorker({
    LOG_LEVEL: 'silent',
    DB_BUDGET: 'none',
    QUEUE_LOCK_SECONDS: '2',
    RECONCILE_SECONDS: '1',
    SHUTDOWN_TIMEOUT_SECONDS: '1',
    WORKER_PORT: '0',
    ...environment,
  });
  return { url: worker.url, [Symbol.asyncDispose]: () => worker.stop() };
}

/** The first line of the answer to who comes by another name of this machine. */
async function rebound(port: string): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  const [data] = await once(socket, 'data');
  socket.destroy();
  return String(data);
}

/** Nobody else reads or writes these tables until it is disposed of. */
async function lock(databaseUrl: string, table: string): Promise<AsyncDisposable> {
  const pool = createPool({ connectionString: databaseUrl, size: 1, maxOverflow: 0 });
  const lease = await pool.acquire('control');
  await lease.query('begin');
  await lease.query(`lock table ${table} in access exclusive mode`);
  return {
    async [Symbol.asyncDispose]() {
      await lease.query('rollback');
      await lease.release();
      await pool.drain();
    },
  };
}

describeWithServices(['postgres', 'redis'], 'the health of a worker', () => {
  test('a worker whose provider hangs for ever is not healthy, and says which job and since when', async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64 });
    await using bench = await startBench(openAi);
    let hangs = true;
    provider.failWhen(() => (hangs ? { kind: 'stall' } : undefined));
    await using worker = await startWorker({
      ...bench.environment,
      OPENAI_API_KEY: 'test',
      OPENAI_BASE_URL: provider.baseUrl,
      EMBEDDING_TIMEOUT_SECONDS: '4',
      WORKER_STUCK_SECONDS: '1',
    });
    expect(await ask(worker.url, '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    const upload = await bench.accept('hung', 'It waits for its vector.');
    await bench.enqueue([upload]);
    await expect
      .poll(() => ask(worker.url, '/healthz'), { timeout: 20_000 })
      .toMatchObject({
        status: 503,
        body: { status: 'stuck', detail: expect.stringContaining(`${upload.id} since 20`) },
      });
    // Ready it is: everything that it needs answers.
    expect(await ask(worker.url, '/readyz')).toMatchObject({ status: 200 });
    hangs = false;
    await expect
      .poll(() => ask(worker.url, '/healthz'), { timeout: 20_000 })
      .toMatchObject({ status: 200, body: { detail: 'nothing to do' } });
  });

  test('a worker whose job waits for a lock that nobody gives back is not healthy', async () => {
    await using bench = await startBench();
    await using worker = await startWorker({ ...bench.environment, WORKER_STUCK_SECONDS: '1' });
    const upload = await bench.accept('locked', 'It cannot be read.');
    await using _ = await lock(bench.environment.DATABASE_URL, 'sluice.upload_parts');
    await bench.enqueue([upload]);
    await expect
      .poll(() => ask(worker.url, '/healthz'), { timeout: 20_000 })
      .toMatchObject({ status: 503, body: { detail: expect.stringContaining(upload.id) } });
  });

  test('a worker that is idle, or paused by back-pressure, stays healthy for longer than the limit', async () => {
    await using bench = await startBench();
    await using worker = await startWorker({
      ...bench.environment,
      WORKER_STUCK_SECONDS: '4',
      // It would wait for the same lock, on the lane that health is asked on.
      RECONCILE_SECONDS: '3600',
      WORKER_CONCURRENCY: '8',
      DB_POOL_SIZE: '4',
      DB_MAX_OVERFLOW: '0',
    });
    const uploads = [];
    for (let i = 0; i < 8; i += 1) uploads.push(await bench.accept(`doc-${i}`, `Text ${i}.`));
    {
      await using _ = await lock(bench.environment.DATABASE_URL, 'sluice.upload_parts');
      await bench.enqueue(uploads);
      await expect
        .poll(() => ask(worker.url, '/healthz'), { timeout: 20_000 })
        .toMatchObject({ status: 200, body: { detail: expect.stringContaining('paused, ') } });
      await sleep(5_000);
      expect(await ask(worker.url, '/healthz')).toMatchObject({ status: 200 });
      expect(await ask(worker.url, '/readyz')).toMatchObject({ status: 200 });
    }
    await bench.settled(uploads.map(({ id }) => id));
    await sleep(5_000);
    expect(await ask(worker.url, '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  test('a worker that the queue gives nothing although jobs wait is not healthy (langfuse/langfuse#15509)', async () => {
    await using bench = await startBench();
    await using worker = await startWorker({ ...bench.environment, WORKER_STUCK_SECONDS: '1' });
    const redis = new Redis(bench.redisUrl);
    // As many jobs as all workers together may have at a time.
    await redis.hset('bull:ingest-upload:meta', 'concurrency', '0');
    await bench.enqueue([await bench.accept('waiting', 'Nobody takes it.')]);
    await expect
      .poll(() => ask(worker.url, '/healthz'), { timeout: 20_000 })
      .toMatchObject({
        status: 503,
        body: {
          status: 'stuck',
          detail: expect.stringContaining('jobs wait in the queue and none was taken'),
        },
      });
    expect(await ask(worker.url, '/readyz')).toMatchObject({ status: 200 });
    await redis.hdel('bull:ingest-upload:meta', 'concurrency');
    await expect.poll(() => ask(worker.url, '/healthz'), { timeout: 20_000 }).toMatchObject({ status: 200 });
    redis.disconnect();
  });

  test('readiness names each dependency with its latency, and the one that is away', async () => {
    await using bench = await startBench();
    await using worker = await startWorker(bench.environment);
    await expect.poll(() => ask(worker.url, '/readyz'), { timeout: 20_000 }).toMatchObject({ status: 200 });
    const { body } = await ask(worker.url, '/readyz');
    expect(Object.keys(body.checks)).toEqual(['database', 'schema', 'queue', 'consumer']);
    for (const check of Object.values(body.checks))
      expect(check).toEqual({ ok: true, latency_ms: expect.any(Number) });
  });

  test('metrics ask for a key where there is one, and for a name of this machine where there is none', async () => {
    await using bench = await startBench();
    await using open = await startWorker(bench.environment);
    expect((await ask(open.url, '/metrics')).status).toBe(200);
    const port = new URL(open.url ?? '').port;
    expect(await rebound(port)).toContain('HTTP/1.1 401');
    await using closed = await startWorker({ ...bench.environment, SLUICE_API_KEYS: key });
    expect((await ask(closed.url, '/metrics')).status).toBe(401);
    expect((await ask(closed.url, '/metrics', { authorization: `Bearer ${key}x` })).status).toBe(401);
    expect((await ask(closed.url, '/metrics', { authorization: `Bearer ${key}` })).status).toBe(200);
    expect((await ask(closed.url, '/healthz')).status).toBe(200);
    expect((await ask(closed.url, '/nothing')).status).toBe(404);
    expect((await fetch(`${closed.url}/healthz`, { method: 'POST' })).status).toBe(405);
  });

  test('metrics ask for a key that was made, with the scope monitor, as soon as one was', async () => {
    await using bench = await startBench(openAi);
    await using worker = await startWorker({ ...bench.environment });
    expect((await ask(worker.url, '/metrics')).status).toBe(200);
    const pool = createPool({ connectionString: bench.environment.DATABASE_URL as string, size: 1 });
    const make = (scope: 'query' | 'monitor' | 'admin') =>
      pool.transaction('control', (transaction) =>
        createApiKey(transaction, { ...unlimited, name: scope, scopes: [scope], createdBy: 'test' }),
      );
    const keys = { query: await make('query'), monitor: await make('monitor'), admin: await make('admin') };
    const status = async (sent?: string) =>
      (await ask(worker.url, '/metrics', sent ? { authorization: `Bearer ${sent}` } : {})).status;
    await expect.poll(() => status(), { timeout: 15_000 }).toBe(401);
    expect(await status(keys.query.key)).toBe(401);
    expect(await status(`${keys.monitor.key}x`)).toBe(401);
    expect(await status(keys.monitor.key)).toBe(200);
    expect(await status(keys.admin.key)).toBe(200);
    await revokeApiKey(pool, keys.monitor.id);
    await expect.poll(() => status(keys.monitor.key), { timeout: 15_000 }).toBe(401);
    await pool.drain();
  });
});

describeWithServices(['postgres', 'processes'], 'a worker whose queue has gone', () => {
  test('is alive and not ready, and says what it cannot reach', async () => {
    await using redis = await startRedis();
    await using bench = await startBench();
    await using worker = await startWorker({ ...bench.environment, REDIS_URL: redis.url });
    await expect.poll(() => ask(worker.url, '/readyz'), { timeout: 20_000 }).toMatchObject({ status: 200 });
    await redis.kill();
    expect(await ask(worker.url, '/readyz')).toMatchObject({
      status: 503,
      body: {
        ready: false,
        checks: { database: { ok: true }, queue: { ok: false, detail: expect.any(String) } },
      },
    });
    expect(await ask(worker.url, '/healthz')).toMatchObject({ status: 200 });
  });
});
