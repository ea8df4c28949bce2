import { randomBytes } from 'node:crypto';
import { createPool } from '@sluice/pool';
import {
  createCollection,
  createVectorIndexSql,
  declareMetadataIndexes,
  findMeasurement,
  listCollections,
  type MetadataIndex,
  readIndexState,
  recordMeasurement,
} from '@sluice/store';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { type IndexBuilderOptions, startIndexBuilder } from '../src/index.ts';
import { numbers, openWorkshop, textOf, type Workshop } from './support/workshop.ts';

type BuiltIndex = Parameters<IndexBuilderOptions['onBuilt']>[0];

const patience = { timeout: 20_000 };

function startBuilder(
  workshop: Workshop,
  built: BuiltIndex[],
  pool = workshop.pool,
  onError = (error: unknown): void => {
    throw error;
  },
  change: Partial<IndexBuilderOptions> = {},
) {
  return startIndexBuilder({
    pool,
    minChunks: 20,
    maxDeferredChunks: 40,
    denser: true,
    memoryMb: 64,
    parallelWorkers: 2,
    intervalMs: 50,
    onBuilt: (one) => built.push(one),
    onError,
    ...change,
  });
}

async function defer(workshop: Workshop): Promise<void> {
  await workshop.pool.query(`drop index sluice.chunks_${workshop.collection.id}_hnsw`);
  await workshop.pool.query(`update sluice.collections set vector_index = 'deferred'`);
}

/** As the sampler notes what it found. */
function measured(workshop: Workshop, recall: number): Promise<boolean> {
  const { id, generation } = workshop.collection;
  const point = { effort: 400, recall, low: recall - 0.01, high: Math.min(1, recall + 0.01) };
  const measurement = { ...point, target: 0.99, sampleSize: 200, curve: [point], chunks: 25, generation };
  return recordMeasurement(workshop.pool, id, measurement);
}

async function optionsOfIndexes(workshop: Workshop): Promise<unknown[]> {
  const { rows } = await workshop.pool.query(
    `select relname as name, array_to_string(reloptions, ', ') as options, indisvalid as valid
     from pg_index i join pg_class c on c.oid = indexrelid where relname ~ '_hnsw' order by relname`,
  );
  return rows;
}

const stateOf = async (workshop: Workshop) => (await listCollections(workshop.pool))[0]?.vectorIndex;

describeWithServices('postgres', 'a vector index that finds too few', () => {
  const hnsw = ({ collection }: Workshop) => `chunks_${collection.id}_hnsw`;

  test('is replaced by a denser one, once, beside searches and writes', async () => {
    await using workshop = await openWorkshop();
    const { collection, pool } = workshop;
    const first = await workshop.accept('a', textOf(...numbers(25)));
    await workshop.ingest(first.id);
    // What a killed builder has left.
    await pool.query(createVectorIndexSql(collection, { denser: true }));
    await pool.query(
      `update pg_index set indisvalid = false where indexrelid = to_regclass('sluice.${hnsw(workshop)}_denser')`,
    );
    await using other = createPool({ connectionString: workshop.url, size: 2, maxOverflow: 0 });
    const built: BuiltIndex[] = [];
    await using _one = startBuilder(workshop, built);
    await using _two = startBuilder(workshop, built, other);
    await measured(workshop, 0.95);
    await expect.poll(() => built, patience).toHaveLength(1);
    expect(built).toMatchObject([{ collection: 'test', chunks: 25, denser: true }]);
    expect(await optionsOfIndexes(workshop)).toEqual([
      { name: hnsw(workshop), options: 'm=24, ef_construction=128', valid: true },
    ]);
    expect(await findMeasurement(pool, collection.id)).toBeUndefined();
    const second = await workshop.accept('b', textOf('more'));
    expect(await workshop.ingest(second.id)).toBe('ready');

    // It finds too few as well: nothing denser is made of it.
    await measured(workshop, 0.95);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(built).toHaveLength(1);
    expect(await findMeasurement(pool, collection.id)).toBeDefined();
  });

  test.each([
    ['when it finds enough', 0.995, true],
    ['when that is turned off', 0.95, false],
  ])('is left alone %s', async (_, recall, denser) => {
    await using workshop = await openWorkshop();
    await measured(workshop, recall);
    await using _builder = startBuilder(workshop, [], undefined, undefined, { denser });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await optionsOfIndexes(workshop)).toEqual([{ name: hnsw(workshop), options: null, valid: true }]);
  });
});

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
      denser: true,
      memoryMb: 64,
      parallelWorkers: 0,
      intervalMs: 50,
      onBuilt: (one) => built.push(one),
      onError: (error) => errors.push(error),
    });
    const vectorIndexes = () => built.filter((one) => 'chunks' in one);
    await expect.poll(vectorIndexes, patience).toMatchObject([{ collection: 'other', chunks: 20 }]);
    expect(String(errors[0])).toContain('does not exist');
  });
});

describeWithServices('postgres', 'the indexes on metadata', () => {
  const indexesOf = async ({ pool, collection }: Workshop) => {
    const { rows } = await pool.query<{ name: string }>(
      `select regexp_replace(i.relname, '^chunks_[0-9]+_by_([a-z]+)_.*', '\\1') as name
       from pg_index x join pg_class i on i.oid = x.indexrelid
       where x.indrelid = to_regclass($1::text) and i.relname ~ '_by_' and x.indisvalid order by 1`,
      [`sluice.chunks_${collection.id}`],
    );
    return rows.map(({ name }) => name);
  };
  const declare = ({ pool, collection }: Workshop, ...indexes: MetadataIndex[]) =>
    pool.lane('control').transaction((t) => declareMetadataIndexes(t, collection.id, indexes));
  const declared = async ({ pool }: Workshop) => (await listCollections(pool))[0]?.metadataIndexes;

  test('are built beside writes when they are declared, and dropped when they are no more', async () => {
    await using workshop = await openWorkshop();
    const { id } = await workshop.accept('a', textOf(...numbers(5)));
    await workshop.ingest(id);
    const built: BuiltIndex[] = [];
    await using _ = startBuilder(workshop, built);
    const year = { field: 'year', type: 'number' } as const;
    const level = { field: 'court.level', type: 'text' } as const;
    await declare(workshop, year, level);
    expect(await declared(workshop)).toEqual([year, level].map((index) => ({ ...index, ready: false })));
    await expect
      .poll(() => declared(workshop), patience)
      .toEqual([year, level].map((index) => ({ ...index, ready: true })));
    expect(await indexesOf(workshop)).toEqual(['number', 'text']);
    await declare(workshop, level);
    // What was built stays built.
    expect(await declared(workshop)).toEqual([{ ...level, ready: true }]);
    await expect.poll(() => indexesOf(workshop), patience).toEqual(['text']);
    await declare(workshop);
    await expect.poll(() => indexesOf(workshop), patience).toEqual([]);
    expect(built).toMatchObject([
      { collection: 'test', ...year },
      { collection: 'test', ...level },
    ]);
  });

  test('that a builder has left half built are built anew', async () => {
    await using workshop = await openWorkshop();
    const day = { field: 'day', type: 'datetime' } as const;
    await declare(workshop, day);
    const built: BuiltIndex[] = [];
    await using builder = startBuilder(workshop, built);
    await expect.poll(() => indexesOf(workshop), patience).toEqual(['datetime']);
    await expect.poll(() => built.length, patience).toBe(1);
    await builder[Symbol.asyncDispose]();
    await workshop.pool.query(
      `update pg_index set indisvalid = false where indexrelid = any (
         select oid from pg_class where relname ~ '_by_datetime_')`,
    );
    expect(await indexesOf(workshop)).toEqual([]);
    await using _ = startBuilder(workshop, built);
    await expect.poll(() => indexesOf(workshop), patience).toEqual(['datetime']);
  });

  test('of a collection where they cannot be built hold up no other', async () => {
    await using workshop = await openWorkshop();
    const { name: _, id: __, ...definition } = workshop.collection;
    const { pool } = workshop;
    const year = { field: 'year', type: 'number' } as const;
    await declare(workshop, year);
    const other = await pool
      .lane('control')
      .transaction((t) => createCollection(t, { ...definition, name: 'other' }));
    await pool.lane('control').transaction((t) => declareMetadataIndexes(t, other.id, [year]));
    await pool.query(`drop table sluice.chunks_${workshop.collection.id}`);
    const errors: unknown[] = [];
    await using _builder = startBuilder(workshop, [], pool, (error) => errors.push(error));
    await expect.poll(() => indexesOf({ ...workshop, collection: other }), patience).toEqual(['number']);
    await expect.poll(() => errors, patience).toContainEqual(expect.objectContaining({ code: '42P01' }));
  });

  test('take values that are no dates, and texts that no index entry can hold', async () => {
    await using workshop = await openWorkshop();
    await declare(workshop, { field: 'day', type: 'datetime' }, { field: 'day', type: 'text' });
    await using _ = startBuilder(workshop, []);
    await expect.poll(() => indexesOf(workshop), patience).toEqual(['datetime', 'text']);
    for (const day of [
      '2025-02-31',
      'x'.repeat(20_000),
      randomBytes(20_000).toString('base64'),
      5,
      null,
      {},
    ]) {
      const { id } = await workshop.accept(JSON.stringify(day).slice(0, 9), textOf('a'), { day });
      expect(await workshop.ingest(id)).toBe('ready');
    }
  });
});
