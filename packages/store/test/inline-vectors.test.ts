import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from '@sluice/pool';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Collection, chunkId, copyChunks, searchChunks, type VectorStorage } from '../src/index.ts';
import { type OpenDatabase, openEmbedded, openPostgres } from './support/both-databases.ts';
import { makeCollection, vectorOf } from './support/fixtures.ts';

const noise = (bytes: number) => randomBytes(bytes).toString('base64');

function inline(open: OpenDatabase): void {
  let pool: Pool;
  let close: () => PromiseLike<void>;
  beforeAll(async () => {
    const database = await open();
    ({ pool } = database);
    close = () => database[Symbol.asyncDispose]();
  });
  afterAll(() => close?.());

  async function fill({ id, storage, dimensions }: Collection, size: number): Promise<Float32Array[]> {
    const documentId = randomUUID();
    const vectors = Array.from({ length: 20 }, (_, i) => vectorOf(i + 0.5, dimensions));
    const chunks = vectors.map((embedding, ordinal) => ({
      id: chunkId(documentId, `${ordinal}`, 0),
      ordinal,
      text: noise(size),
      tokens: 2,
      page: null,
      headingPath: Array.from({ length: 5 }, () => noise(size / 5)),
      charStart: 0,
      charEnd: size,
      embedding,
    }));
    await pool.lane('bulk').transaction(async (transaction) => {
      await transaction.query(
        `insert into sluice.documents (id, collection_id, external_id, name) values ($1::uuid, $2::bigint, $1::uuid::text, 'a')`,
        [documentId, id],
      );
      await copyChunks(transaction, { id, storage }, [{ documentId, metadata: { of: noise(size) }, chunks }]);
    });
    return vectors;
  }

  async function toastBytes({ id }: Collection): Promise<number> {
    const { rows } = await pool.query<{ bytes: number }>(
      'select pg_relation_size(reltoastrelid)::int as bytes from pg_class where oid = $1::regclass',
      [`sluice.chunks_${id}`],
    );
    return rows[0]?.bytes ?? 0;
  }

  async function layoutOf({ id }: Collection): Promise<unknown> {
    const { rows } = await pool.query(
      `select attstorage, reloptions from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.oid = $1::regclass and attname = 'embedding'`,
      [`sluice.chunks_${id}`],
    );
    return rows[0];
  }

  const shapes: [VectorStorage, number, boolean][] = [
    ['vector', 384, true],
    ['vector', 1_536, true],
    ['vector', 1_898, true],
    ['vector', 1_899, false],
    ['halfvec', 3_072, true],
    ['halfvec', 3_796, true],
    ['halfvec', 3_797, false],
  ];
  test.each(shapes)('%s(%i) lies in the row: %s', async (storage, dimensions, inRow) => {
    const collection = await makeCollection(pool, { storage, dimensions });
    await fill(collection, 100);
    expect((await toastBytes(collection)) === 0).toBe(inRow);
    // Whatever else a chunk has moves out of its way.
    const vectors = await fill(collection, 9_000);
    const [hit] = await searchChunks(pool, collection, {
      vector: vectors[7] as Float32Array,
      limit: 2,
      access: 'scan',
    });
    expect(hit).toMatchObject({ ordinal: 7 });
  });

  test('a collection of before gets the same layout from the migration', async () => {
    const file = join(import.meta.dirname, '../migrations/0015_inline_vectors.sql');
    for (const [storage, dimensions] of shapes) {
      const collection = await makeCollection(pool, { storage, dimensions });
      const layout = await layoutOf(collection);
      await pool.query(
        `alter table sluice.chunks_${collection.id} alter column embedding set storage external, reset (toast_tuple_target)`,
      );
      const sql = await readFile(file, 'utf8');
      await pool.lane('control').transaction(async (transaction) => {
        for (const statement of sql.split(/;\n(?=set|alter|do)/)) await transaction.query(statement);
      });
      expect(await layoutOf(collection)).toEqual(layout);
    }
  });
}

describeWithServices('postgres', 'vectors in rows', () => inline(openPostgres));
describe('vectors in rows of the embedded Postgres', () => inline(openEmbedded));
