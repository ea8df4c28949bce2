import { createPool } from '@sluice/pool';
import { createCollection, createVectorIndexSql, listCollections, readIndexState } from '@sluice/store';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { type BuiltIndex, startIndexBuilder } from '../src/index.ts';
import { numbers, openWorkshop, textOf, type Workshop } from './support/workshop.ts';

const patience = { timeout: 20_000 };

function startBuilder(workshop: Workshop, built: BuiltIndex[], pool = workshop.pool) {
  return startIndexBuilder({
    pool,
    minChunks: 20,
    maxDeferredChunks: 40,
    memoryMb: 64,
    parallelWorkers: 2,
    intervalMs: 50,
    onBuilt: (one) => built.push(one),
    onError: (error) => {
      throw error;
    },
  });
}

async function defer(workshop: Workshop): Promise<void> {
  await workshop.pool.query(`drop index sluice.chunks_${workshop.collection.id}_hnsw`);
  await workshop.pool.query(`update sluice.collections set vector_index = 'deferred'`);
}

const stateOf = async (workshop: Workshop) => (await listCollections(workshop.pool))[0]?.vectorIndex;

describeWithServices('postgres', 'the vector index of a new collection', () => {
  test('is built when the load has ended, and searches use it then (pgvector/pgvector#810)', async () => {
    await using workshop = await openWorkshop();
    await defer(workshop);
    const built: BuiltIndex[] = [];
    await using _ = startBuilder(workshop, built);
    const first = await workshop.accept('a', textOf(...numbers(25)));
    const second = await workshop.accept('b', textOf('last'));
    await workshop.ingest(first.id);
    // There are enough chunks, but one upload still waits.
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await stateOf(workshop)).toBe('deferred');
    await workshop.ingest(second.id);
    await expect.poll(() => stateOf(workshop), patience).toBe('hnsw');
    expect(built).toEqual([{ collection: 'test', chunks: 26, durationMs: expect.any(Number) }]);
    const plan = await workshop.pool.session('bulk', async (lease) => {
      await lease.query('set enable_seqscan = off');
      return lease.query(
        `explain select id from sluice.chunks_${workshop.collection.id}
         order by embedding <=> '[1,2,3,4,5,6,7,8]'::vector limit 3`,
      );
    });
    expect(JSON.stringify(plan.rows)).toContain(`chunks_${workshop.collection.id}_hnsw`);
    const third = await workshop.accept('c', textOf('more'));
    expect(await workshop.ingest(third.id)).toBe('ready');
  });

  test('is not built for a few chunks', async () => {
    await using workshop = await openWorkshop();
    await defer(workshop);
    await using _ = startBuilder(workshop, []);
    const { id } = await workshop.accept('a', textOf(...numbers(10)));
    await workshop.ingest(id);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await stateOf(workshop)).toBe('deferred');
  });

  test('is built during a load that does not end, once exact searches get slow', async () => {
    await using workshop = await openWorkshop();
    await defer(workshop);
    await workshop.accept('waits', textOf(1));
    const { id } = await workshop.accept('a', textOf(...numbers(45)));
    await workshop.ingest(id);
    const built: BuiltIndex[] = [];
    await using _ = startBuilder(workshop, built);
    await expect.poll(() => stateOf(workshop), patience).toBe('hnsw');
    expect(built).toMatchObject([{ chunks: 45 }]);
  });

  test('that a builder has left half built is built anew, by one of two replicas', async () => {
    await using workshop = await openWorkshop();
    await defer(workshop);
    const { id } = await workshop.accept('a', textOf(...numbers(25)));
    await workshop.ingest(id);
    const { collection, pool } = workshop;
    await pool.query(createVectorIndexSql(collection));
    // As a killed CREATE INDEX CONCURRENTLY leaves it.
    await pool.query(
      `update pg_index set indisvalid = false where indexrelid = to_regclass('sluice.chunks_${collection.id}_hnsw')`,
    );
    expect(await readIndexState(pool, collection.id)).toBe('broken');
    await using other = createPool({ connectionString: workshop.url, size: 2, maxOverflow: 0 });
    const built: BuiltIndex[] = [];
    await using _one = startBuilder(workshop, built);
    await using _two = startBuilder(workshop, built, other);
    await expect.poll(() => stateOf(workshop), patience).toBe('hnsw');
    expect(await readIndexState(pool, collection.id)).toBe('valid');
    expect(built).toHaveLength(1);
  });

  test('is there from the beginning where that was asked for', async () => {
    await using workshop = await openWorkshop();
    const { name: _, ...definition } = workshop.collection;
    const created = await workshop.pool
      .lane('control')
      .transaction((transaction) => createCollection(transaction, { ...definition, name: 'other' }, 'hnsw'));
    expect(created.vectorIndex).toBe('hnsw');
    expect(await readIndexState(workshop.pool, created.id)).toBe('valid');
  });

  test('is built also where that of another collection cannot be', async () => {
    await using workshop = await openWorkshop();
    await workshop.pool.lane('control').transaction(async (transaction) => {
      const { id } = await createCollection(
        transaction,
        { ...workshop.collection, name: 'other' },
        'deferred',
      );
      await transaction.query(`drop table sluice.chunks_${workshop.collection.id}`);
      for (const collectionId of [workshop.collection.id, id]) {
        await transaction.query(
          `insert into sluice.documents (id, collection_id, external_id, name, live_upload_id, chunk_count)
           values (gen_random_uuid(), $1::bigint, 'a', 'a', gen_random_uuid(), 20)`,
          [collectionId],
        );
      }
    });
    await workshop.pool.query(`update sluice.collections set vector_index = 'deferred'`);
    const built: BuiltIndex[] = [];
    const errors: unknown[] = [];
    await using _ = startIndexBuilder({
      pool: workshop.pool,
      minChunks: 20,
      maxDeferredChunks: 40,
      memoryMb: 64,
      parallelWorkers: 0,
      intervalMs: 50,
      onBuilt: (one) => built.push(one),
      onError: (error) => errors.push(error),
    });
    await expect.poll(() => built, patience).toMatchObject([{ collection: 'other', chunks: 20 }]);
    expect(String(errors[0])).toContain('does not exist');
  });
});
