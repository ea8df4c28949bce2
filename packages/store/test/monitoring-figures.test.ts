import { randomUUID } from 'node:crypto';
import type { Pool } from '@sluice/pool';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  countFailures,
  forgetProcess,
  listProcesses,
  readCollectionFigures,
  readServerStatistics,
  readUploadFigures,
  recordIndexBuild,
  reportProcess,
} from '../src/index.ts';
import { type OpenDatabase, openEmbedded, openPostgres } from './support/both-databases.ts';
import { makeCollection, makeUpload } from './support/fixtures.ts';

function figures(open: OpenDatabase): void {
  let pool: Pool;
  let close: () => PromiseLike<void>;
  beforeAll(async () => {
    const database = await open();
    ({ pool } = database);
    close = () => database[Symbol.asyncDispose]();
  });
  afterAll(() => close?.());

  test('a process is one row, with what it has said last, and gone when it stops', async () => {
    const identity = {
      id: randomUUID(),
      role: 'worker',
      host: 'a',
      pid: 7,
      version: '1.0.0',
      startedAt: new Date('2026-01-02T03:04:05Z'),
    } as const;
    await reportProcess(pool, identity, { jobs: 1 });
    await reportProcess(pool, identity, { jobs: 2 });
    const [seen, ...others] = await listProcesses<{ jobs: number }>(pool);
    expect(others).toEqual([]);
    expect(seen).toMatchObject({ ...identity, report: { jobs: 2 } });
    expect(seen?.silentMs).toBeGreaterThanOrEqual(0);
    expect(seen?.silentMs).toBeLessThan(60_000);

    await pool.query("update sluice.processes set seen_at = now() - interval '25 hours'");
    const other = { ...identity, id: randomUUID() };
    await reportProcess(pool, other, {});
    expect((await listProcesses(pool)).map(({ id }) => id)).toEqual([other.id]);
    await forgetProcess(pool, other.id);
    expect(await listProcesses(pool)).toEqual([]);
  });

  test('uploads are counted by what is to be done about them, and their age is that of the oldest which nobody has tried', async () => {
    const collection = await makeCollection(pool);
    const before = await readUploadFigures(pool);
    for (const [state, attempts, seconds] of [
      ['queued', 0, 30],
      ['queued', 0, 5],
      ['queued', 3, 500],
      ['processing', 1, 900],
      ['failed', 6, 900],
      ['ready', 1, 900],
    ] as const) {
      const id = await makeUpload(pool, collection);
      await pool.query(
        `update sluice.uploads set state = $2::text, attempts = $3::int, created_at = now() - $4::int * interval '1 second',
           error = case when $2::text = 'failed' then '{"code": "no_text", "retryable": false}'::jsonb end
         where id = $1::uuid`,
        [id, state, attempts, seconds],
      );
    }
    const after = await readUploadFigures(pool);
    expect(after).toMatchObject({ queued: 3, processing: 1, failed: 1 });
    expect(after.oldestAgeSeconds).toBeGreaterThanOrEqual(30);
    expect(after.oldestAgeSeconds).toBeLessThan(120);
    expect(after.lastSequence - before.lastSequence).toBe(6);
    expect(await countFailures(pool, 5)).toEqual([{ code: 'no_text', retryable: false, uploads: 1 }]);
  });

  test('the server and each collection tell their figures without a scan of chunks', async () => {
    const collection = await makeCollection(pool);
    await pool.query(
      `insert into sluice.documents (id, collection_id, external_id, name, live_upload_id, chunk_count, character_count)
       select gen_random_uuid(), $1::bigint, 'd' || i, 'file ' || i % 2, gen_random_uuid(), 10, 1000 from generate_series(1, 4) i`,
      [collection.id],
    );
    await recordIndexBuild(pool, collection.id, {
      at: '2026-01-02T03:04:05.000Z',
      duration_ms: 12,
      chunks: 40,
      memory_mb: 512,
      helpers: 2,
      shared_memory_short: false,
      error: null,
    });
    const found = (await readCollectionFigures(pool)).find(({ id }) => id === collection.id);
    expect(found).toMatchObject({
      name: collection.name,
      documents: 4,
      distinctSources: 2,
      chunks: 40,
      characters: 4_000,
      uploadsPending: 0,
      building: false,
      lastIndexBuild: { memory_mb: 512, error: null },
    });
    expect(found?.bytes).toBeGreaterThan(0);
    expect(found?.indexes).toContainEqual({
      name: `chunks_${collection.id}_pkey`,
      method: 'btree',
      bytes: expect.any(Number),
      scans: expect.any(Number),
      setting: null,
    });
    expect(found?.indexes.find(({ name }) => name.endsWith('_words'))?.setting).toBe('text_search');

    const server = await readServerStatistics(pool);
    expect(server.bytes).toBeGreaterThan(1_000_000);
    expect(server.maxConnections).toBeGreaterThan(0);
    expect(server.sharedBuffersBytes).toBeGreaterThan(0);
    expect(server.maintenanceWorkMemBytes).toBeGreaterThan(0);
    expect(server.blocksHit).toBeGreaterThanOrEqual(0);
  });
}

describeWithServices(['postgres'], 'figures of a Postgres', () => figures(openPostgres));
describe('figures of the embedded Postgres', () => figures(openEmbedded));
