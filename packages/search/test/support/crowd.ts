import { createPool, type Pool, type Queryable } from '@sluice/pool';
import {
  type Collection,
  chunkId,
  copyChunks,
  createCollection,
  createVectorIndexSql,
  listCollections,
  type NewCollection,
} from '@sluice/store';
import { createTestDatabase } from '@sluice/testing';
import { definitionOf } from './small-collection.ts';

export const dimensions = 64;

/** Gaussian around one of `centres`, the same for the same seed. */
export function vectorNear(centre: number, seed: number): Float32Array {
  const unit = (a: number, b: number) => {
    const x = Math.sin(a * 12.9898 + b * 78.233) * 43_758.5453;
    return x - Math.floor(x);
  };
  return Float32Array.from(
    { length: dimensions },
    (_, i) => unit(centre, i) + 0.25 * unit(seed + 0.5, i + 0.25),
  );
}

export interface Statement {
  text: string;
  values: readonly unknown[];
}

/** A collection with a vector index and many chunks in documents of `chunksEach`, whose metadata is `metadataOf(document)`. */
export interface Crowd extends AsyncDisposable {
  pool: Pool;
  collection(): Promise<Collection>;
  /** The interactive lane, which notes what is sent. */
  db: Queryable;
  sent: Statement[];
  planOf(statement: Statement): Promise<string>;
}

export async function makeCrowd(
  documents: number,
  chunksEach: number,
  metadataOf: (document: number) => Record<string, unknown>,
  change: Partial<NewCollection> = {},
  settings: Record<string, string> = {},
): Promise<Crowd> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const pool = stack.use(
    createPool({
      connectionString: database.url,
      size: 4,
      maxOverflow: 0,
      settings: { 'hnsw.iterative_scan': 'strict_order', 'hnsw.ef_search': '100', ...settings },
    }),
  );
  const definition = { name: 'crowd', ...definitionOf(dimensions), ...change };
  const created = await pool
    .lane('bulk')
    .transaction((transaction) => createCollection(transaction, definition, 'deferred'));
  const uuid = (i: number) => `0a000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
  await pool.query(
    `insert into sluice.documents (id, collection_id, external_id, name)
     select ('0a000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, $1::bigint, 'document-' || i, 'd' || i
     from generate_series(0, $2::int - 1) i`,
    [created.id, documents],
  );
  const rows = Array.from({ length: documents }, (_, i) => ({
    documentId: uuid(i),
    metadata: metadataOf(i),
    chunks: Array.from({ length: chunksEach }, (__, ordinal) => ({
      id: chunkId(uuid(i), `${ordinal}`, 0),
      ordinal,
      text: `chunk ${ordinal} of document ${i}`,
      tokens: 5,
      page: null,
      headingPath: [],
      charStart: ordinal * 100,
      charEnd: ordinal * 100 + 99,
      embedding: vectorNear(i % 50, i * chunksEach + ordinal),
    })),
  }));
  await pool.lane('bulk').transaction(async (transaction) => {
    await copyChunks(transaction, created, rows);
    await transaction.query(createVectorIndexSql(created));
    await transaction.query(`update sluice.collections set vector_index = 'hnsw'`);
  });
  await pool.query('vacuum analyze');
  const sent: Statement[] = [];
  return {
    pool,
    collection: async () => (await listCollections(pool))[0] as Collection,
    sent,
    db: {
      query(text, values = [], options) {
        sent.push({ text, values });
        return pool.lane('interactive').query(text, values, options);
      },
    },
    async planOf({ text, values }) {
      const { rows: lines } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
      return lines.map((line) => line['QUERY PLAN']).join('\n');
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Replaces all vectors by ones that have nothing to do with each other, which an index has a hard time with. */
export async function scatter({ pool, collection }: Crowd): Promise<void> {
  const { id } = await collection();
  await pool.query(
    `update sluice.chunks_${id} c set embedding = (
       select array_agg(random() - 0.5)::vector from generate_series(1, ${dimensions}) where c.id is not null
     )`,
  );
  await pool.query(`reindex table sluice.chunks_${id}`);
}

/** What makes its chunks count: documents with a version that is live. */
export async function goLive({ pool }: Crowd, chunksEach: number): Promise<void> {
  await pool.query('update sluice.documents set live_upload_id = gen_random_uuid(), chunk_count = $1::int', [
    chunksEach,
  ]);
}
