import { randomUUID } from 'node:crypto';
import type { RecommendationBody, RecommendationId } from '@sluice/contract';
import { createPool, type Pool, type PoolOptions } from '@sluice/pool';
import {
  type Collection,
  createCollection,
  migrate,
  type NewCollection,
  readServerFacts,
} from '@sluice/store';
import { createTestDatabase } from '@sluice/testing';
import { createMonitor, type Monitor, type MonitorOptions } from '../../src/index.ts';

/** A database, and fresh looks at it. */
export interface Observed extends AsyncDisposable {
  url: string;
  pool: Pool;
  /** Remembers nothing of the look before. */
  look(change?: Partial<MonitorOptions>): Monitor;
  recommended(id: RecommendationId, change?: Partial<MonitorOptions>): Promise<RecommendationBody[]>;
  makeCollection(change?: Partial<NewCollection>, documents?: number): Promise<Collection>;
}

export const settings = { embedded: false, indexMemoryMb: 512, reserve: 5 };

async function observe(
  url: string,
  stack: AsyncDisposableStack,
  options: Partial<PoolOptions>,
): Promise<Observed> {
  const pool = stack.use(createPool({ connectionString: url, size: 4, maxOverflow: 0, ...options }));
  function look(change: Partial<MonitorOptions> = {}): Monitor {
    return createMonitor({
      pool,
      facts: () => readServerFacts(pool),
      budget: () => undefined,
      standbys: () => [],
      cache: () => ({}),
      evictionPolicy: async () => undefined,
      jobCounts: async () => [],
      settings,
      scaling: { targetAgeSeconds: 60, minWorkers: 0, maxWorkers: 10, concurrency: 4 },
      ...change,
    });
  }
  return {
    url,
    pool,
    look,
    async recommended(id, change) {
      const { recommendations } = await look(change).databaseStats();
      return recommendations.filter((recommendation) => recommendation.id === id);
    },
    makeCollection: (change = {}) =>
      pool.lane('control').transaction((transaction) =>
        createCollection(
          transaction,
          {
            name: `c-${randomUUID().slice(0, 8)}`,
            embeddingProvider: 'local',
            embeddingModel: 'm',
            dimensions: 8,
            distance: 'l2',
            storage: 'vector',
            chunkMaxTokens: 100,
            chunkOverlapTokens: 0,
            language: 'simple',
            ...change,
          },
          'deferred',
        ),
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export async function observeDatabase(options: Partial<PoolOptions> = {}): Promise<Observed> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  return observe(database.url, stack, options);
}

/** A server of the test's own: what it brings is disposed of with it. */
export async function observeServer(server: { url: string } & AsyncDisposable): Promise<Observed> {
  const stack = new AsyncDisposableStack();
  stack.use(server);
  const observed = await observe(server.url, stack, {});
  await migrate(observed.pool);
  return observed;
}

/** Documents as publishing leaves them: one with `chunks` rows of random vectors. */
export async function addChunks(db: Pool, { id, dimensions }: Collection, chunks: number): Promise<void> {
  await db.query(
    `with document as (
       insert into sluice.documents (id, collection_id, external_id, name, live_upload_id, chunk_count, character_count)
       values (gen_random_uuid(), $1::bigint, gen_random_uuid()::text, 'a', gen_random_uuid(), $2::int, $2::int * 5) returning id
     )
     insert into sluice.chunks_${id} (id, document_id, ordinal, text, tokens, heading_path, char_start, char_end, metadata, embedding)
     select gen_random_uuid(), document.id, i, 'chunk', 1, '{}', 0, 5, jsonb_build_object('n', i),
       (select array_agg(random()) from generate_series(1, $3::int) d where i > 0)::vector
     from document, generate_series(1, $2::int) i`,
    [id, chunks, dimensions],
  );
}
