import { type DatabaseStatsBody, databaseStatsSchema, type RecommendationId } from '@sluice/contract';
import { createPool } from '@sluice/pool';
import { migrateQueue } from '@sluice/queue';
import { migrate } from '@sluice/store';
import { describeWithServices, startPostgres } from '@sluice/testing';
import { runWorker } from '@sluice/worker';
import { expect, test } from 'vitest';
import { runGateway } from '../src/index.ts';
import { untilReady } from './support/running-service.ts';

const chunks = 2_000;

/** A gateway and a worker on a server of the test's own, with a collection that is due for its index. */
async function startDue(options: Parameters<typeof startPostgres>[0], extra: Record<string, string>) {
  const stack = new AsyncDisposableStack();
  const { url } = stack.use(await startPostgres(options));
  const pool = stack.use(createPool({ connectionString: url, size: 2, maxOverflow: 0 }));
  await migrate(pool);
  await migrateQueue({ kind: 'postgres', connectionString: url });
  const environment = { PORT: '0', LOG_LEVEL: 'silent', DATABASE_URL: url, ...extra };
  const gateway = await runGateway(environment);
  stack.defer(() => gateway.stop());
  await untilReady(gateway.url);
  await pool.query(
    `with document as (
       insert into sluice.documents (id, collection_id, external_id, name, live_upload_id, chunk_count, character_count)
       select gen_random_uuid(), id, 'a', 'a', gen_random_uuid(), $1::int, $1::int from sluice.collections returning id
     )
     insert into sluice.chunks_1 (id, document_id, ordinal, text, tokens, heading_path, char_start, char_end, metadata, embedding)
     select gen_random_uuid(), document.id, i, 'chunk', 1, '{}', 0, 5, '{}',
       (select array_agg(random()) from generate_series(1, 384) d where i > 0)::vector
     from document, generate_series(1, $1::int) i`,
    [chunks],
  );
  // Else the planner sees too little to be worth helpers.
  await pool.query('alter table sluice.chunks_1 set (parallel_workers = 2)');
  const worker = await runWorker(environment);
  stack.defer(() => worker.stop());
  async function recommended(id: RecommendationId): Promise<DatabaseStatsBody['recommendations']> {
    const answer = await fetch(`${gateway.url}/monitoring/database-stats`);
    const { recommendations } = databaseStatsSchema.parse(await answer.json());
    return recommendations.filter((found) => found.id === id);
  }
  return { recommended, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describeWithServices(
  ['postgres', 'processes'],
  'what went wrong with the last build of an index is told',
  () => {
    test('a server without the shared memory for helpers, which builds alone', async () => {
      await using sluice = await startDue({ sharedMemoryMb: 4 }, { VECTOR_INDEX_MEMORY_MB: '64' });
      await expect
        .poll(() => sluice.recommended('shared_memory_small'), { timeout: 20_000, interval: 500 })
        .toMatchObject([
          {
            severity: 'warning',
            subject: 'default',
            setting: expect.stringContaining('shm_size'),
            evidence: { needed_mb: 64, duration_ms: expect.any(Number) },
          },
        ]);
      expect(await sluice.recommended('index_build_failed')).toEqual([]);
    });

    test('a build that the server refuses', async () => {
      await using sluice = await startDue(
        { settings: { default_tablespace: 'gone' } },
        { VECTOR_INDEX_MEMORY_MB: '64' },
      );
      await expect
        .poll(() => sluice.recommended('index_build_failed'), { timeout: 20_000, interval: 500 })
        .toMatchObject([{ severity: 'warning', subject: 'default', evidence: { chunks, memory_mb: 64 } }]);
    });
  },
);
