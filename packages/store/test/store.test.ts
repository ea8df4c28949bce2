import { createPool, type Pool, type Queryable, type Transaction } from '@sluice/pool';
import { createTestDatabase, describeWithServices, type TestDatabase } from '@sluice/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ChunkRecord,
  type Collection,
  chunkId,
  claimUpload,
  collectionStatistics,
  copyChunks,
  createCatalog,
  decodeVector,
  deleteAbandonedUploads,
  deleteCollection,
  deleteDocument,
  deleteUpload,
  encodeVector,
  findDocument,
  findUploads,
  goLive,
  lockForPublish,
  moveStagedChunks,
  partBytes,
  readParts,
  recordFailure,
  recordProgress,
  searchChunks,
  stageChunks,
  takeLease,
  touchQuietUploads,
} from '../src/index.ts';
import { definition, makeCollection, makeUpload, receiveUpload, vectorOf } from './support/fixtures.ts';

function chunk(
  documentId: string,
  ordinal: number,
  text: string,
  embedding: Float32Array | null,
): ChunkRecord {
  return {
    id: chunkId(documentId, text, 0),
    ordinal,
    text,
    tokens: 3,
    page: ordinal % 2 ? ordinal : null,
    headingPath: ordinal % 3 ? ['Mục một', 'Điều 2'] : [],
    charStart: ordinal * 10,
    charEnd: ordinal * 10 + 9,
    embedding,
  };
}

test('the vector codec gives back what it was given, as far as the storage can hold it', () => {
  const floats = fc.float32Array({ noNaN: true, minLength: 1, maxLength: 50 });
  const halves = fc
    .array(fc.integer({ min: -2048, max: 2048 }), { minLength: 1 })
    .map((list) => Float32Array.from(list));
  for (const [values, storage] of [
    [floats, 'vector'],
    [halves, 'halfvec'],
  ] as const) {
    fc.assert(
      fc.property(values, (sent) => {
        expect([...decodeVector(encodeVector(sent, storage), storage)]).toEqual([...sent]);
      }),
    );
  }
});

test('the id of a chunk depends on document, text and occurrence alone (rowboatlabs/rowboat#603)', () => {
  const id = chunkId('d', 'text', 0);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(chunkId('d', 'text', 0)).toBe(id);
  expect(new Set([id, chunkId('e', 'text', 0), chunkId('d', 'text', 1), chunkId('d', 'other', 0)]).size).toBe(
    4,
  );
});

describeWithServices(['postgres'], 'the store', () => {
  let database: TestDatabase;
  let pool: Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool({
      connectionString: database.url,
      size: 5,
      maxOverflow: 5,
      settings: { 'hnsw.iterative_scan': 'strict_order', 'hnsw.ef_search': '100' },
    });
  });
  afterAll(async () => {
    await pool?.drain();
    await database?.[Symbol.asyncDispose]();
  });

  async function lockOf(transaction: Transaction, { id }: Collection, uploadId: string, fence: number) {
    return (await lockForPublish(transaction, id, [{ uploadId, fence }])).get(uploadId);
  }

  /** An upload of a document that is live with these chunks. */
  async function publish(
    collection: Awaited<ReturnType<typeof makeCollection>>,
    externalId: string,
    texts: string[],
  ) {
    const id = await makeUpload(pool, collection, externalId);
    const claim = await claimUpload(pool, id);
    if (!claim) throw new Error('nothing to claim');
    const document = { id: claim.upload.documentId, metadata: claim.upload.metadata };
    const chunks = texts.map((text, i) =>
      chunk(document.id, i, text, vectorOf(i + text.length, collection.dimensions)),
    );
    await pool.lane('bulk').transaction(async (transaction) => {
      expect(await lockOf(transaction, collection, id, claim.fence)).toBeDefined();
      await goLive(transaction, [{ uploadId: id, chunks: chunks.length, characters: 10, title: null }]);
      await copyChunks(transaction, collection, [
        { documentId: document.id, metadata: document.metadata, chunks },
      ]);
    });
    return { uploadId: id, documentId: document.id, chunks };
  }

  test('the server reads binary vectors as they were meant', async () => {
    const values = Float32Array.of(1, -0.5, 0.25);
    const { rows } = await pool.query('select $1::vector::text as vector, $2::halfvec::text as halfvec', [
      encodeVector(values),
      encodeVector(values, 'halfvec'),
    ]);
    expect(rows).toEqual([{ vector: '[1,-0.5,0.25]', halfvec: '[1,-0.5,0.25]' }]);
  });

  test('a chunk comes back as it was copied, Vietnamese and empty lists included', async () => {
    const collection = await makeCollection(pool);
    const { chunks, documentId } = await publish(collection, 'law', [
      'Điều 1. Phạm vi',
      'Nghị định “số 24”',
      'c',
    ]);
    const hits = await searchChunks(pool, collection, { vector: vectorOf(1), limit: 10, access: 'index' });
    expect(hits).toHaveLength(3);
    for (const sent of chunks) {
      const { embedding: _, tokens: __, headingPath, ...rest } = sent;
      const hit = hits.find(({ id }) => id === sent.id);
      expect(hit).toMatchObject({
        ...rest,
        headingPath,
        documentId,
        externalId: 'law',
        metadata: { of: 'law' },
      });
    }
  });

  test('the shape of a search fits the HNSW index', async () => {
    const collection = await makeCollection(pool);
    await publish(
      collection,
      'big',
      Array.from({ length: 500 }, (_, i) => `text ${i}`),
    );
    const plan = await pool.lane('control').transaction(async (transaction) => {
      // A scan of so few rows is cheaper; what matters is that the index can answer.
      await transaction.query('set local enable_seqscan = off');
      const explaining = {
        query: (text: string, values?: readonly unknown[]) => transaction.query(`explain ${text}`, values),
      } as Queryable;
      return searchChunks(explaining, collection, { vector: vectorOf(1), limit: 10, access: 'index' });
    });
    expect(JSON.stringify(plan)).toMatch(/Index Scan using chunks_\d+_hnsw/);
  });

  test('a selective filter loses no result (pgvector/pgvector#259)', async () => {
    const collection = await makeCollection(pool);
    await publish(
      collection,
      'crowd',
      Array.from({ length: 1_500 }, (_, i) => `text ${i}`),
    );
    await publish(collection, 'needle', ['one', 'another', 'third one']);
    const hits = await searchChunks(pool, collection, {
      vector: vectorOf(700),
      limit: 10,
      access: 'index',
      filter: { op: 'contains', value: { of: 'needle' } },
    });
    expect(hits.map(({ text }) => text).sort()).toEqual(['another', 'one', 'third one']);
  });

  test('a vector of another length is told both lengths', async () => {
    const collection = await makeCollection(pool);
    await expect(
      searchChunks(pool, collection, { vector: vectorOf(1, 5), limit: 1, access: 'index' }),
    ).rejects.toMatchObject({
      code: 'wrong_vector_length',
      details: { given: 5, expected: 8 },
    });
  });

  test('a collection cannot be made twice, nor with more dimensions than an index holds', async () => {
    const name = definition().name;
    await makeCollection(pool, { name });
    await expect(makeCollection(pool, { name })).rejects.toMatchObject({ code: 'collection_exists' });
    await expect(makeCollection(pool, { dimensions: 2_001 })).rejects.toMatchObject({
      code: 'unsupported_dimensions',
      message: expect.stringContaining('halfvec'),
    });
    expect(await makeCollection(pool, { dimensions: 4_000, storage: 'halfvec' })).toMatchObject({
      dimensions: 4_000,
    });
  });

  test('a deleted collection leaves neither table nor rows', async () => {
    const collection = await makeCollection(pool);
    const { documentId, uploadId } = await publish(collection, 'x', ['x']);
    expect(
      await pool.lane('control').transaction((transaction) => deleteCollection(transaction, collection.id)),
    ).toMatchObject({ deleted: { documents: 1, uploads: 1, chunks: 1 } });
    const { rows } = await pool.query('select to_regclass($1::text) as found', [
      `sluice.chunks_${collection.id}`,
    ]);
    expect(rows).toEqual([{ found: null }]);
    expect(await findDocument(pool, documentId)).toBeUndefined();
    expect(await findUploads(pool, [uploadId])).toEqual([]);
  });

  test('an upload is seen once it is accepted, with its bytes in order', async () => {
    const collection = await makeCollection(pool);
    const received = await receiveUpload(pool, collection);
    expect(await findUploads(pool, [received])).toEqual([]);
    expect(await claimUpload(pool, received)).toBeUndefined();
    const accepted = await makeUpload(pool, collection);
    expect(await findUploads(pool, [accepted])).toMatchObject([
      { state: 'queued', stage: 'waiting', sizeBytes: 12 },
    ]);
    const parts = [];
    for await (const part of readParts(pool, { id: accepted, sizeBytes: partBytes + 1 }))
      parts.push(part.toString());
    expect(parts).toEqual(['first ', 'second']);
  });

  test('a new claim outdates the one before: it can report, fail and publish nothing', async () => {
    const collection = await makeCollection(pool);
    const id = await makeUpload(pool, collection);
    const zombie = await claimUpload(pool, id);
    const holder = await claimUpload(pool, id);
    expect(holder?.fence).toBe((zombie?.fence ?? 0) + 1);
    const progress = { stage: 'embedding', chunksDone: 1, chunksTotal: 2 } as const;
    expect(await recordProgress(pool, id, zombie?.fence ?? 0, progress)).toBe(false);
    expect(await recordProgress(pool, id, holder?.fence ?? 0, progress)).toBe(true);
    await recordFailure(pool, id, zombie?.fence ?? 0, 'failed', {
      code: 'x',
      message: 'x',
      stage: 'embedding',
      retryable: false,
    });
    expect((await findUploads(pool, [id]))[0]?.state).toBe('processing');
    await pool.lane('bulk').transaction(async (transaction) => {
      expect(await lockOf(transaction, collection, id, zombie?.fence ?? 0)).toBeUndefined();
      expect(await lockOf(transaction, collection, id, holder?.fence ?? 0)).toBeDefined();
    });
  });

  test('nothing of a document that was deleted meanwhile can be published', async () => {
    const collection = await makeCollection(pool);
    const id = await makeUpload(pool, collection);
    const claim = await claimUpload(pool, id);
    await pool
      .lane('bulk')
      .transaction((transaction) => deleteDocument(transaction, claim?.upload.documentId ?? ''));
    await pool.lane('bulk').transaction(async (transaction) => {
      expect(await lockOf(transaction, collection, id, claim?.fence ?? 0)).toBeUndefined();
    });
  });

  test('a deleted upload takes its document along only while it is the live version', async () => {
    const collection = await makeCollection(pool);
    const { uploadId, documentId } = await publish(collection, 'kept', ['a']);
    const later = await makeUpload(pool, collection, 'kept');
    expect(
      await pool.lane('bulk').transaction((transaction) => deleteUpload(transaction, later)),
    ).toMatchObject({ documentId: null, deleted: { documents: 0, uploads: 1, chunks: 0, parts: 2 } });
    expect(await findDocument(pool, documentId)).toBeDefined();
    expect(
      await pool.lane('bulk').transaction((transaction) => deleteUpload(transaction, uploadId)),
    ).toMatchObject({ documentId, deleted: { documents: 1, uploads: 1, chunks: 1 } });
    expect(await findDocument(pool, documentId)).toBeUndefined();
    expect(await searchChunks(pool, collection, { vector: vectorOf(1), limit: 5, access: 'index' })).toEqual(
      [],
    );
  });

  test('a new version rewrites only what changed: kept chunks keep their vectors', async () => {
    const collection = await makeCollection(pool);
    const { documentId } = await publish(collection, 'doc', ['stays', 'goes']);
    const id = await makeUpload(pool, collection, 'doc');
    const claim = await claimUpload(pool, id);
    const fence = claim?.fence ?? 0;
    const next = [chunk(documentId, 0, 'comes', vectorOf(9)), chunk(documentId, 1, 'stays', null)];
    const lane = pool.lane('bulk');
    expect(await lane.transaction((transaction) => stageChunks(transaction, id, fence, next))).toBe(true);
    const place = { documentId, uploadId: id, total: 2 };
    await lane.transaction(async (transaction) => {
      await transaction.query(`update sluice.documents set metadata = '{"v": 2}' where id = $1::uuid`, [
        documentId,
      ]);
      expect(await moveStagedChunks(transaction, collection, place)).toBe(true);
    });
    const { rows } = await pool.query(
      `select ordinal, text, metadata from sluice.chunks_${collection.id} order by ordinal`,
    );
    expect(rows).toMatchObject([
      { ordinal: 0, text: 'comes', metadata: { v: 2 } },
      { ordinal: 1, text: 'stays', metadata: { v: 2 } },
    ]);
    const hits = await searchChunks(pool, collection, {
      vector: vectorOf(0 + 'stays'.length),
      limit: 1,
      access: 'index',
    });
    expect(hits[0]).toMatchObject({ text: 'stays' });
    expect(hits[0]?.distance).toBeCloseTo(0, 5);
    expect(
      (await pool.query('select from sluice.staged_chunks where upload_id = $1::uuid', [id])).rowCount,
    ).toBe(0);
  });

  test('quiet uploads come up once a round, and abandoned requests go', async () => {
    const collection = await makeCollection(pool);
    const quiet = await makeUpload(pool, collection);
    const abandoned = await receiveUpload(pool, collection);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect((await touchQuietUploads(pool, 50, 1_000)).map(({ id }) => id)).toContain(quiet);
    expect((await touchQuietUploads(pool, 50, 1_000)).map(({ id }) => id)).not.toContain(quiet);
    await deleteAbandonedUploads(pool, 50);
    expect((await pool.query('select from sluice.uploads where id = $1::uuid', [abandoned])).rowCount).toBe(
      0,
    );
    expect(await findUploads(pool, [quiet])).toHaveLength(1);
  });

  test('a lease goes to one of many, and again when its time is over', async () => {
    const take = () => takeLease(pool, 'test', 200);
    const taken = await Promise.all(Array.from({ length: 10 }, take));
    expect(taken.filter(Boolean)).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(await take()).toBe(true);
  });

  test('the hot statements are prepared: a search and statistics, once for each connection', async () => {
    await using single = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    const collection = await makeCollection(single);
    for (let i = 0; i < 3; i += 1) {
      await searchChunks(single, collection, { vector: vectorOf(i), limit: 3, access: 'index' });
      await collectionStatistics(single, collection.id);
      await findUploads(single, []);
    }
    const { rows } = await single.query<{ statement: string; used: number }>(
      'select statement, generic_plans + custom_plans as used from pg_prepared_statements order by statement',
    );
    expect(rows).toEqual([
      { statement: expect.stringContaining('from sluice.uploads'), used: 3 },
      { statement: expect.stringContaining('pg_total_relation_size'), used: 3 },
      { statement: expect.stringContaining('order by embedding <=>'), used: 3 },
    ]);
  });

  test('a query through the catalog asks the database for nothing but its answer (mastra-ai/mastra#21952)', async () => {
    const statements: string[] = [];
    await using traced = createPool({
      connectionString: database.url,
      tracer: { query: ({ text }) => void statements.push(text) },
    });
    const collection = await makeCollection(pool);
    await using catalog = createCatalog(traced, { changes: 'listen' });
    await catalog.byName(collection.name);
    await expect.poll(() => statements.filter((text) => /^listen/.test(text)).length).toBe(1);
    // The listener's first message brings one more read.
    await expect.poll(() => traced.status().checked_out).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    statements.length = 0;
    for (let i = 0; i < 20; i += 1) {
      const found = await catalog.byName(collection.name);
      await searchChunks(traced, found!, { vector: vectorOf(i), limit: 3, access: 'index' });
    }
    expect(statements).toHaveLength(20);
  });

  test('the catalog sees what another process changes, without being asked', async () => {
    await using other = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    await using catalog = createCatalog(other, { changes: 'listen' });
    const collection = await makeCollection(pool);
    await expect.poll(() => other.status().listening).toBe(1);
    expect(await catalog.byName(collection.name)).toMatchObject({ generation: 0 });
    // What the first message of the listener asked for has been read as well, so that what follows is its doing.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { documentId } = await publish(collection, 'x', ['x']);
    await pool.lane('bulk').transaction((transaction) => deleteDocument(transaction, documentId));
    await expect.poll(async () => (await catalog.byName(collection.name))?.generation).toBe(1);
    await pool.lane('control').transaction((transaction) => deleteCollection(transaction, collection.id));
    await expect.poll(() => catalog.byName(collection.name)).toBeUndefined();
  });

  test('a catalog that polls, where nobody can listen, sees it too', async () => {
    const collection = await makeCollection(pool);
    await using catalog = createCatalog(pool, { changes: 30 });
    expect(await catalog.byName(collection.name)).toMatchObject({ generation: 0 });
    const { documentId } = await publish(collection, 'x', ['x']);
    await pool.lane('bulk').transaction((transaction) => deleteDocument(transaction, documentId));
    await expect
      .poll(async () => (await catalog.byName(collection.name))?.generation)
      .toBeGreaterThanOrEqual(1);
    expect(pool.status().listening).toBe(0);
  });
});
