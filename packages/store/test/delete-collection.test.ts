import { setTimeout as sleep } from 'node:timers/promises';
import { createPool, isTransient, type Pool, sqlState } from '@sluice/pool';
import { createTestDatabase, describeWithServices, type TestDatabase } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  acceptUploads,
  bumpGeneration,
  type ChunkRecord,
  type Collection,
  claimUpload,
  copyChunks,
  createVectorIndexSql,
  deleteCollection,
  dropVectorIndex,
  goLive,
  lockForPublish,
  type ReceivedUpload,
  readIndexState,
} from '../src/index.ts';
import { makeCollection, makeUpload, receiveUpload, vectorOf } from './support/fixtures.ts';

const patience = { timeout: 20_000 };

describeWithServices('postgres', 'deleting a collection', () => {
  let database: TestDatabase;
  let pool: Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool({ connectionString: database.url, size: 6, maxOverflow: 0 });
  });
  afterAll(async () => {
    await pool?.drain();
    await database?.[Symbol.asyncDispose]();
  });

  const remove = ({ id }: Collection) =>
    pool.lane('control').transaction((transaction) => deleteCollection(transaction, id));

  const chunksOf = (count: number): ChunkRecord[] =>
    Array.from({ length: count }, (_, ordinal) => {
      return {
        id: crypto.randomUUID(),
        ordinal,
        text: `chunk ${ordinal}`,
        tokens: 2,
        page: null,
        headingPath: [],
        charStart: ordinal,
        charEnd: ordinal + 1,
        embedding: vectorOf(ordinal),
      };
    });

  /** A document with as many chunks, as if its upload had been published. */
  async function addChunks(collection: Collection, count: number): Promise<void> {
    const upload = await makeUpload(pool, collection);
    const { rows } = await pool.query<{ documentId: string }>(
      `update sluice.documents d set live_upload_id = u.id, chunk_count = $2::int from sluice.uploads u
       where u.id = $1::uuid and d.id = u.document_id returning d.id as "documentId"`,
      [upload, count],
    );
    const documentId = rows[0]?.documentId as string;
    await pool
      .lane('bulk')
      .transaction((transaction) =>
        copyChunks(transaction, collection, [{ documentId, metadata: {}, chunks: chunksOf(count) }]),
      );
  }

  test('does not delete its chunks one by one, and counts them all the same', async () => {
    const collection = await makeCollection(pool);
    await addChunks(collection, 7);
    await addChunks(collection, 5);
    await pool.query(
      `create function sluice.refuse_${collection.id}() returns trigger language plpgsql as
       $$ begin raise exception 'a chunk was deleted by itself'; end $$`,
    );
    await pool.query(
      `create trigger refuse before delete on sluice.chunks_${collection.id} for each row
       execute function sluice.refuse_${collection.id}()`,
    );
    expect(await remove(collection)).toMatchObject({ deleted: { documents: 2, uploads: 2, chunks: 12 } });
  });

  test('does not wait for the index that is just being built for it', async () => {
    const collection = await makeCollection(pool);
    await addChunks(collection, 3);
    await dropVectorIndex(pool, collection.id);
    await pool.session('control', async (old) => {
      // Whoever builds an index concurrently waits for the snapshots that were there before.
      await old.query('begin isolation level repeatable read');
      await old.query('select from sluice.leases');
      const building = pool
        .query(createVectorIndexSql(collection, { options: 'concurrently' }))
        .catch((error: unknown) => error);
      await expect.poll(() => readIndexState(pool, collection.id), patience).toBe('building');
      expect(await remove(collection)).toMatchObject({ deleted: { chunks: 3 } });
      expect(await building).toMatchObject({ message: expect.stringContaining('cancel') });
      await old.query('rollback');
    });
  });

  test('counts what is accepted while it waits for its turn', async () => {
    const collection = await makeCollection(pool);
    const earlier = await makeUpload(pool, collection);
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const { promise: accepted, resolve: isAccepted } = Promise.withResolvers<string>();
    const accepting = pool.lane('interactive').transaction(async (transaction) => {
      const id = await receiveUpload(transaction, collection);
      await acceptUploads(transaction, [{ id, sizeBytes: 12, contentHash: Buffer.alloc(32) }]);
      isAccepted(id);
      await mayCommit;
    });
    const late = await accepted;
    const removing = remove(collection);
    await sleep(300);
    commit();
    await accepting;
    const deletion = await removing;
    expect(deletion?.deleted).toEqual({ documents: 2, uploads: 2, chunks: 0, stagedChunks: 0, parts: 4 });
    expect(deletion?.uploadIds.sort()).toEqual([earlier, late].sort());
  });

  /** Accepts uploads, new documents and versions of a few others, and publishes them, as long as the collection is there. */
  async function writeInto(collection: Collection, writer: number): Promise<void> {
    for (let i = 0; ; i += 1) {
      const names = [`shared ${(writer + i) % 5}`, `own ${writer} ${i}`];
      const received: ReceivedUpload[] = [];
      for (const name of names)
        received.push({
          id: await receiveUpload(pool, collection, name),
          sizeBytes: 12,
          contentHash: Buffer.alloc(32),
        });
      await pool.lane('interactive').transaction((transaction) => acceptUploads(transaction, received));
      for (const { id } of received) {
        const { fence = 0, upload } = (await claimUpload(pool, id)) ?? {};
        await pool.lane('bulk').transaction(async (transaction) => {
          const locks = await lockForPublish(transaction, collection.id, [{ uploadId: id, fence }]);
          if (locks.size === 0) return;
          await goLive(transaction, [{ uploadId: id, chunks: 1, characters: 1, title: null }]);
          await transaction.query(`delete from sluice.chunks_${collection.id} where document_id = $1::uuid`, [
            upload?.documentId,
          ]);
          await copyChunks(transaction, collection, [
            { documentId: upload?.documentId as string, metadata: {}, chunks: chunksOf(1) },
          ]);
          await bumpGeneration(transaction, collection.id);
        });
      }
    }
  }

  test('comes to its end while everybody writes into it, and leaves nothing', {
    timeout: 120_000,
  }, async () => {
    for (let round = 0; round < 4; round += 1) {
      const collection = await makeCollection(pool);
      const writers = Array.from({ length: 5 }, (_, writer) =>
        writeInto(collection, writer).catch((error: unknown) => error),
      );
      await sleep(700);
      const deletion = await remove(collection);
      expect(deletion?.deleted.documents).toBeGreaterThan(5);
      for (const error of await Promise.all(writers)) {
        // What refers to it is refused; who was about to take one of its uploads may be told that he stood in the way.
        expect(sqlState(error) === '23503' || isTransient(error), String(error)).toBe(true);
      }
      const left = await pool.query('select from sluice.uploads where collection_id = $1::bigint', [
        collection.id,
      ]);
      expect(left.rowCount).toBe(0);
    }
  });

  test('is done by one of those who do it at once', async () => {
    const collection = await makeCollection(pool);
    await addChunks(collection, 20);
    const deletions = await Promise.all([remove(collection), remove(collection), remove(collection)]);
    expect(deletions.filter((deletion) => deletion !== undefined)).toMatchObject([
      { deleted: { chunks: 20 } },
    ]);
  });
});
