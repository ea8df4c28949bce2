import {
  databaseStatsSchema,
  poolReportSchema,
  queueReportSchema,
  scalingSchema,
  type UploadBody,
} from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { form } from './support/client.ts';
import { type Mode, startSluice } from './support/running-service.ts';

function monitored(mode: Mode): void {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  beforeAll(async () => {
    sluice = await startSluice(mode);
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());

  async function read(path: string): Promise<unknown> {
    const answer = await fetch(`${sluice.url}/monitoring/${path}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    return answer.json();
  }

  test('pool-status has the figures of the pool, its lanes, its budget, and every process (D1)', async () => {
    // The worker says that it lives as soon as it has a connection.
    await expect
      .poll(async () => poolReportSchema.parse(await read('pool-status')).replicas.map(({ role }) => role), {
        timeout: 10_000,
      })
      .toEqual(expect.arrayContaining(['gateway', 'worker']));
    const report = poolReportSchema.strict().parse(await read('pool-status'));
    const { pool_status: pool, pool_utilization: use } = report;
    expect(report.connection_healthy).toBe(true);
    expect(report.connection_latency_ms).toBeGreaterThan(0);
    expect(Object.keys(pool.lanes).sort()).toEqual(['bulk', 'control', 'interactive']);
    expect(use.available_connections + pool.checked_out).toBe(pool.pool_size + pool.max_overflow);
    expect(use.usage_percent).toBeCloseTo((100 * pool.checked_out) / (pool.pool_size + pool.max_overflow), 0);
    expect(report.budget?.driver).toBe(mode === 'postgres-only' ? 'postgres' : undefined);
    const worker = report.replicas.find(({ role }) => role === 'worker');
    expect(worker).toMatchObject({
      pid: process.pid,
      work: { concurrency: 4, healthy: true },
    });
  });

  test('database-stats counts documents, sources and chunks of every collection (D2)', async () => {
    const response = await fetch(`${sluice.url}/v1/uploads`, {
      method: 'POST',
      body: form({ 'a.txt': 'The first document, of some words.', 'b.txt': 'And a second one.' }),
    });
    const { uploads } = (await response.json()) as { uploads: UploadBody[] };
    for (const { status_url: url } of uploads) {
      await expect
        .poll(async () => ((await (await fetch(`${sluice.url}${url}`)).json()) as UploadBody).state, {
          timeout: 15_000,
        })
        .toBe('ready');
    }
    await expect
      .poll(async () => databaseStatsSchema.parse(await read('database-stats')).collection_stats[0], {
        timeout: 15_000,
      })
      .toMatchObject({
        collection: 'default',
        documents: 2,
        distinct_sources: 2,
        chunks: 2,
        dimensions: 384,
        mean_length: 25.5,
        uploads_pending: 0,
      });
    const stats = databaseStatsSchema.strict().parse(await read('database-stats'));
    expect(stats.connection_pool.pool_size).toBeGreaterThan(0);
    expect(stats.database.max_connections).toBeGreaterThan(0);
    expect(stats.recommendations.filter(({ severity }) => severity === 'critical')).toEqual([]);
  });

  test('queues and scaling say what waits and how many workers that takes (D6)', async () => {
    const { queues, uploads } = queueReportSchema.strict().parse(await read('queues'));
    expect(queues.map(({ name }) => name)).toEqual(['ingest-upload']);
    expect(uploads).toMatchObject({ queued: 0, processing: 0, oldest_age_seconds: 0 });
    await expect
      .poll(async () => scalingSchema.parse(await read('scaling')), { timeout: 15_000 })
      .toMatchObject({ workers: 1, needed_workers: 1, service_seconds: expect.any(Number), concurrency: 4 });
    const metrics = await (await fetch(`${sluice.url}/metrics`)).text();
    expect(metrics).toMatch(/^sluice_workers_needed 1$/m);
    expect(metrics).toMatch(/^sluice_workers_seen 1$/m);
    expect(metrics).toMatch(/^sluice_uploads_waiting 0$/m);
    expect(metrics).toMatch(/^sluice_uploads_oldest_age_seconds 0$/m);
  });

  test('only GET is taken, and other names are not known', async () => {
    expect((await fetch(`${sluice.url}/monitoring/scaling`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${sluice.url}/monitoring/nothing`)).status).toBe(404);
  });
}

describe('monitoring of the embedded mode', () => monitored('embedded'));
describeWithServices(['postgres'], 'monitoring on Postgres only', () => monitored('postgres-only'));
describeWithServices(['postgres', 'redis'], 'monitoring with Redis', () => monitored('services'));
