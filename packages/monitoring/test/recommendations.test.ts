import { randomUUID } from 'node:crypto';
import { createMemoryCache } from '@sluice/cache';
import { type RecommendationId, recommendationIds } from '@sluice/contract';
import { createPool, createServerBudget } from '@sluice/pool';
import { readEvictionPolicy } from '@sluice/queue';
import { buildMetadataIndex, createVectorIndexSql, reportProcess } from '@sluice/store';
import { describeWithServices, startPostgres, startRedis } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPoolHistory, type ProcessReport, reportPool } from '../src/index.ts';
import { addChunks, type Observed, observeDatabase, observeServer, settings } from './support/observed.ts';

const provoked = new Set<RecommendationId>();

/** A session tells its statistics at most once a second, unless it is asked to. */
async function runAndTell({ pool }: Observed, text: string): Promise<void> {
  await pool.session('bulk', async (lease) => {
    await lease.query(text);
    await lease.query('select pg_stat_force_next_flush()');
  });
}

const identity = (role: 'gateway' | 'worker') =>
  ({ id: randomUUID(), role, host: 'a', pid: 1, version: '1.0.0', startedAt: new Date() }) as const;
const quiet: ProcessReport = {
  pool: {
    pool_size: 5,
    max_overflow: 5,
    checked_out: 0,
    waiting: 0,
    budget_share: null,
    use: { usagePercent: 0, overflowPercent: 0, waitP95Ms: 0 },
  },
  wanted: 10,
  work: null,
};
const working: ProcessReport['work'] = {
  state: 'running',
  concurrency: 4,
  active: 0,
  progressAt: null,
  healthy: true,
  detail: null,
  serviceSeconds: null,
  jobs: 0,
};

describeWithServices(['postgres'], 'recommendations, each provoked on a real server', () => {
  let observed: Observed;
  beforeAll(async () => {
    observed = await observeDatabase();
  });
  afterAll(async () => {
    await observed?.[Symbol.asyncDispose]();
  });

  async function expectOne(
    id: RecommendationId,
    ...[change]: Parameters<Observed['look']>
  ): Promise<Awaited<ReturnType<Observed['recommended']>>[number]> {
    await expect.poll(() => observed.recommended(id, change), { timeout: 10_000 }).toHaveLength(1);
    const [found] = await observed.recommended(id, change);
    if (!found) throw new Error(`${id} is gone again`);
    expect(Object.keys(found.evidence).length).toBeGreaterThan(0);
    expect(found.summary.length).toBeGreaterThan(20);
    expect(found.setting ?? found.command).not.toBe(null);
    provoked.add(id);
    return found;
  }

  test('a database that nobody has used yet gets none', async () => {
    const { recommendations } = await observed.look().databaseStats();
    expect(recommendations).toEqual([]);
  });

  test('pool use, overflow and waits of a pool that too many borrow from', async () => {
    await using pool = createPool({
      connectionString: observed.url,
      size: 1,
      maxOverflow: 2,
      overflowDelayMs: 1,
    });
    using history = createPoolHistory(pool.status, { intervalMs: 5 });
    const until = Date.now() + 1_500;
    const borrow = async () => {
      while (Date.now() < until) await pool.lane('interactive').query('select pg_sleep(0.02)');
    };
    await Promise.all(Array.from({ length: 48 }, borrow));
    const busy = { ...quiet, pool: reportPool(pool.status(), history.use()) };
    expect(busy.pool.use.usagePercent).toBeGreaterThan(80);
    const gateway = identity('gateway');
    await reportProcess(observed.pool, gateway, busy);

    const use = await expectOne('pool_use_high');
    expect(use).toMatchObject({ severity: 'warning', subject: 'gateway a:1', setting: 'DB_POOL_SIZE' });
    expect(use.evidence).toMatchObject({ usage_percent: busy.pool.use.usagePercent, pool_size: 1 });
    expect((await expectOne('pool_overflow_often')).evidence).toHaveProperty('overflow_percent');
    expect((await expectOne('pool_wait_long')).evidence.acquire_wait_p95_ms).toBeGreaterThan(100);

    // The same use without anybody who waits is not worth a warning.
    await reportProcess(observed.pool, gateway, {
      ...busy,
      pool: { ...busy.pool, use: { ...busy.pool.use, waitP95Ms: 0 } },
    });
    expect(await expectOne('pool_use_high')).toMatchObject({ severity: 'info' });
    // And where the budget holds it down, more of its own is no help.
    await reportProcess(observed.pool, gateway, {
      ...busy,
      wanted: 50,
      pool: { ...busy.pool, budget_share: 3 },
    });
    expect((await expectOne('pool_use_high')).setting).toMatch('max_connections');
    await reportProcess(observed.pool, gateway, quiet);
    expect(await observed.recommended('pool_use_high')).toEqual([]);
  });

  test('a fleet that wants more than max_connections', async () => {
    const worker = identity('worker');
    await reportProcess(observed.pool, worker, { ...quiet, wanted: 100_000 });
    const found = await expectOne('fleet_too_large');
    expect(found).toMatchObject({ severity: 'critical', setting: 'DB_BUDGET' });
    expect(found.evidence).toMatchObject({ wanted_connections: 100_010, processes: 2 });
    await reportProcess(observed.pool, worker, quiet);
    expect(await observed.recommended('fleet_too_large')).toEqual([]);
  });

  test('a fleet with a member for which there are no connections', async () => {
    const options = {
      connectionString: observed.url,
      store: { schema: 'sluice_fleet' },
      limit: 20,
      reserve: 5,
      weight: 1,
      floor: 10,
      cap: 20,
    };
    await using first = createServerBudget(options);
    await using second = createServerBudget(options);
    await first.join({ held: () => 1, onShare() {} });
    const giveUp = new AbortController();
    const joining = second
      .join({ held: () => 0, onShare() {}, signal: giveUp.signal })
      .catch(() => 'given up');
    await expect.poll(() => first.status().waiting, { timeout: 15_000 }).toBe(1);
    const found = await expectOne('fleet_too_large', { budget: () => first.status() });
    expect(found).toMatchObject({ severity: 'critical', evidence: { waiting_processes: 1, limit: 20 } });
    giveUp.abort();
    expect(await joining).toBe('given up');
  });

  test('a collection of more than 100 000 chunks without a vector index, and memory for building one', async () => {
    const collection = await observed.makeCollection({ dimensions: 3 });
    await addChunks(observed.pool, collection, 100_001);
    const about = { subject: collection.name };
    expect(await expectOne('collection_without_index')).toMatchObject({ severity: 'warning', ...about });
    expect(await observed.recommended('collection_without_index')).toMatchObject([
      { evidence: { chunks: 100_001, vector_index: 'deferred' } },
    ]);
    const small = { settings: { ...settings, indexMemoryMb: 64 } };
    expect(await expectOne('index_memory_small', small)).toMatchObject({
      severity: 'warning',
      setting: 'VECTOR_INDEX_MEMORY_MB',
      ...about,
    });
    expect(await observed.recommended('index_memory_small')).toEqual([]);
    await observed.pool.query(createVectorIndexSql(collection).concat(' with (m = 2, ef_construction = 4)'));
    expect(await observed.recommended('collection_without_index')).toEqual([]);
    expect(await observed.recommended('index_memory_small', small)).toMatchObject([{ severity: 'info' }]);
  });

  test('an index that no search uses, and dead rows', async () => {
    const collection = await observed.makeCollection({ dimensions: 3 });
    const table = `sluice.chunks_${collection.id}`;
    await observed.pool.query(`alter table ${table} set (autovacuum_enabled = false)`);
    await addChunks(observed.pool, collection, 60_000);
    await buildMetadataIndex(observed.pool, collection.id, { field: 'n', type: 'number' });
    expect(await observed.recommended('index_unused')).toEqual([]);
    await runAndTell(
      observed,
      `select count(*) from (select id from ${table} limit 2000) wanted, lateral (
         select ordinal from ${table} c where c.id = wanted.id offset 0) found`,
    );
    await expect
      .poll(() => observed.recommended('index_unused'), { timeout: 10_000 })
      .toContainEqual(
        expect.objectContaining({
          subject: expect.stringMatching(
            new RegExp(`^${collection.name}: chunks_${collection.id}_by_number_`),
          ),
          setting: 'metadata_indexes of the collection',
          evidence: expect.objectContaining({ scans: 0, method: 'btree' }),
        }),
      );
    provoked.add('index_unused');

    expect(await observed.recommended('dead_rows')).toEqual([]);
    await runAndTell(observed, `delete from ${table} where ordinal <= 30000`);
    expect(await expectOne('dead_rows')).toMatchObject({
      subject: collection.name,
      command: `vacuum (analyze) ${table}`,
      evidence: { dead_rows: 30_000, dead_percent: 50 },
    });
    await observed.pool.query(`vacuum ${table}`);
    await expect.poll(() => observed.recommended('dead_rows'), { timeout: 10_000 }).toEqual([]);
  });

  test('answers that are pushed out of the cache before they are asked for again', async () => {
    await using cache = createMemoryCache({ maxBytes: 1_000_000, maxEntries: 10 });
    for (let i = 0; i < 1_500; i += 1) {
      const key = `answer:${i % 500}`;
      if (!(await cache.get(key))) await cache.set(key, Buffer.from('x'), { ttlMs: 60_000 });
    }
    const change = { cache: () => ({ memory: cache.stats() }) };
    expect((await expectOne('answer_cache_hit_rate_low', change)).evidence).toMatchObject({
      hit_percent: 0,
      lookups: 1_500,
    });
  });

  test('uploads that wait and nobody who takes them, a worker that is stuck, and uploads that failed', async () => {
    await observed.pool.query('delete from sluice.processes');
    const { id: collection } = await observed.makeCollection();
    const insert = `insert into sluice.uploads (id, collection_id, document_id, external_id, file_name, format, chunk_max_tokens,
        chunk_overlap_tokens, state, stage, attempts, error, created_at)
      values (gen_random_uuid(), $1::bigint, gen_random_uuid(), 'e', 'f', 'text', 100, 0, $2::text, 'waiting', $3::int, $4::jsonb,
        now() - interval '30 seconds')`;
    await observed.pool.query(insert, [collection, 'queued', 0, null]);
    expect(await expectOne('no_worker')).toMatchObject({
      severity: 'critical',
      command: 'sluice worker',
      evidence: { queued: 1 },
    });
    const worker = identity('worker');
    await reportProcess(observed.pool, worker, { ...quiet, work: working });
    expect(await observed.recommended('no_worker')).toEqual([]);

    const stuck = { ...working, active: 2, healthy: false, detail: 'no progress for 10 min' };
    await reportProcess(observed.pool, worker, { ...quiet, work: stuck });
    expect(await expectOne('worker_stuck')).toMatchObject({ severity: 'critical', evidence: { active: 2 } });

    const failure = JSON.stringify({ code: 'provider_unavailable', retryable: true });
    await observed.pool.query(insert, [collection, 'failed', 6, failure]);
    expect(await expectOne('uploads_failed')).toMatchObject({
      command: expect.stringContaining('/v1/uploads/retry'),
      evidence: { failed: 1, 'code provider_unavailable': 1 },
    });
  });

  test('a pgvector that is older than what the server has', async () => {
    await using server = await observeDatabase();
    expect(await server.recommended('pgvector_old')).toEqual([]);
    // What an upgrade of the package without "alter extension" leaves.
    await server.pool.query("update pg_extension set extversion = '0.8.1' where extname = 'vector'");
    const [found] = await server.recommended('pgvector_old');
    expect(found).toMatchObject({
      severity: 'warning',
      command: 'alter extension vector update',
      evidence: { installed: '0.8.1' },
    });
    provoked.add('pgvector_old');
  });
});

describeWithServices(['postgres', 'processes'], 'recommendations about the settings of servers', () => {
  test('shared_buffers smaller than the vector indexes, and most reads from outside of them', async () => {
    await using server = await observeServer(await startPostgres({ settings: { shared_buffers: '1MB' } }));
    const collection = await server.makeCollection({ dimensions: 384 });
    await addChunks(server.pool, collection, 1_500);
    await server.pool.query(createVectorIndexSql(collection).concat(' with (m = 2, ef_construction = 4)'));
    expect(await server.recommended('shared_buffers_small')).toMatchObject([
      { severity: 'warning', setting: 'shared_buffers', evidence: { shared_buffers_bytes: 1_048_576 } },
    ]);
    provoked.add('shared_buffers_small');

    await runAndTell(
      server,
      `do $$ begin for i in 1..300 loop perform count(*) from sluice.chunks_${collection.id}; end loop; end $$`,
    );
    await expect
      .poll(() => server.recommended('cache_hit_rate_low'), { timeout: 10_000 })
      .toMatchObject([{ severity: 'warning', setting: 'shared_buffers' }]);
    provoked.add('cache_hit_rate_low');
  });
});

describeWithServices(['postgres', 'redis', 'processes'], 'recommendations about the queue', () => {
  test('a Redis that may evict jobs', async () => {
    await using observed = await observeDatabase();
    await using redis = await startRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
    const evictionPolicy = () => readEvictionPolicy({ kind: 'redis', url: redis.url });
    expect(await observed.recommended('queue_may_evict', { evictionPolicy })).toMatchObject([
      { severity: 'critical', evidence: { maxmemory_policy: 'allkeys-lru' } },
    ]);
    provoked.add('queue_may_evict');
  });
});

// Those of a worker's index builder are provoked where there is one: apps/gateway/test/index-build-reports.test.ts
const elsewhere: RecommendationId[] = ['index_build_failed', 'shared_memory_small'];

describeWithServices(['postgres', 'redis', 'processes'], 'all recommendations', () => {
  test('are provoked by a test', () => {
    expect([...provoked, ...elsewhere].sort()).toEqual([...recommendationIds].sort());
  });
});
