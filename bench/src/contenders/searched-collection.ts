import { randomUUID } from 'node:crypto';
import { createPool, type Pool } from '@sluice/pool';
import {
  announceVectorIndex,
  bumpGeneration,
  type Collection,
  chunkId,
  copyChunks,
  createCollection,
  createVectorIndexSql,
  listCollections,
  migrate,
} from '@sluice/store';

export interface SearchedContents {
  /** Name of the database, made anew. */
  database: string;
  rows: number;
  dimensions: number;
  nextVector: () => Float32Array;
  /** Chunks of a document. Default 10. */
  chunksPerDocument?: number;
  /** Of the document with that number. Default nothing. */
  metadata?: (document: number) => Record<string, unknown>;
}

export const searchedCollection = 'searched';

/** A database of its own with a collection that was loaded and indexed as workers do it. */
export async function createSearchedDatabase(
  serverUrl: string,
  contents: SearchedContents,
): Promise<{ url: string; collection: Collection }> {
  const { database, dimensions } = contents;
  const url = new URL(serverUrl);
  {
    await using admin = createPool({ connectionString: serverUrl, size: 1, maxOverflow: 0 });
    await admin.query(`drop database if exists ${database} with (force)`);
    await admin.query(`create database ${database}`);
  }
  url.pathname = `/${database}`;
  await using pool = createPool({ connectionString: url.href });
  await migrate(pool);
  const created = await pool.lane('control').transaction((transaction) =>
    createCollection(
      transaction,
      {
        name: searchedCollection,
        embeddingProvider: 'local',
        embeddingModel: 'local-ngram-v1',
        dimensions,
        distance: 'cosine',
        storage: 'vector',
        chunkMaxTokens: 100,
        chunkOverlapTokens: 0,
        language: 'simple',
      },
      'deferred',
    ),
  );
  await fill(pool, created, contents);
  await buildIndex(pool, created);
  const collection = (await listCollections(pool)).find(({ id }) => id === created.id) as Collection;
  return { url: url.href, collection };
}

/** Documents in one transaction: with more of them memory is the limit. */
const documentsAtOnce = 500;

async function fill(pool: Pool, { id, storage }: Collection, contents: SearchedContents): Promise<void> {
  const { rows, nextVector, chunksPerDocument = 10, metadata = () => ({}) } = contents;
  const documents = Math.ceil(rows / chunksPerDocument);
  for (let from = 0; from < documents; from += documentsAtOnce) {
    const count = Math.min(documentsAtOnce, documents - from);
    const batch = Array.from({ length: count }, (_, i) => {
      const number = from + i;
      const length = Math.min(chunksPerDocument, rows - number * chunksPerDocument);
      const documentId = randomUUID();
      const chunks = Array.from({ length }, (__, ordinal) => chunkOf(documentId, ordinal, nextVector()));
      return { documentId, metadata: metadata(number), chunks };
    });
    await pool.lane('bulk').transaction(async (transaction) => {
      await transaction.query(
        `insert into sluice.documents (id, collection_id, external_id, name, metadata)
         select d.id, $1::bigint, d.id::text, d.id::text, d.metadata
         from json_to_recordset($2::json) as d (id uuid, metadata jsonb)`,
        [id, JSON.stringify(batch.map(({ documentId, metadata }) => ({ id: documentId, metadata })))],
      );
      await copyChunks(transaction, { id, storage }, batch);
      await bumpGeneration(transaction, id);
    });
  }
}

function chunkOf(documentId: string, ordinal: number, embedding: Float32Array) {
  const text = `${ordinal}: The tenderer shall submit the guarantee with the offer. `.repeat(5);
  return {
    id: chunkId(documentId, text, 0),
    ordinal,
    text,
    tokens: 60,
    page: null,
    headingPath: [],
    charStart: 0,
    charEnd: text.length,
    embedding,
  };
}

async function buildIndex(pool: Pool, collection: Collection): Promise<void> {
  await pool.session('bulk', async (lease) => {
    await lease.query(
      `select set_config('maintenance_work_mem', '1GB', false), set_config('max_parallel_maintenance_workers', '2', false)`,
    );
    await lease.query(createVectorIndexSql(collection));
    await lease.query(`vacuum analyze sluice.chunks_${collection.id}`);
    await lease.query('analyze sluice.documents');
  });
  await announceVectorIndex(pool, collection.id);
}
