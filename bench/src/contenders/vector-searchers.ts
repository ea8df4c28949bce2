import { createPool, type Pool } from '@sluice/pool';
import { type Collection, encodeVector, searchChunks } from '@sluice/store';
import pg from 'pg';
import { createLangChainStore } from './lang-chain.ts';
import type { Peer } from './pg-pool.ts';

/** The ids of the nearest `k` of a collection's chunks, and with each what a caller needs of it. */
export interface VectorSearcher {
  name: string;
  search(vector: Float32Array): Promise<string[]>;
}

export const k = 10;

interface Row {
  id: string;
}

const idsOf = (rows: readonly Row[]) => rows.map(({ id }) => id);
const tableOf = ({ id }: Collection) => `sluice.chunks_${id}`;
const asText = (vector: Float32Array) => `[${vector.join(',')}]`;

/** What is usually written by hand; `asked` is the vector. */
export function nearestSql(collection: Collection, asked: string): string {
  const distance = `embedding <=> ${asked}`;
  return `select id, text, metadata, ${distance} as distance from ${tableOf(collection)} order by ${distance} limit ${k}`;
}

/** As the product searches, with all that an answer has of a chunk and its document. */
export function ours(pool: Pool, collection: Collection): VectorSearcher {
  const db = pool.lane('interactive');
  return {
    name: 'ours',
    search: async (vector) =>
      idsOf(await searchChunks(db, collection, { vector, limit: k, access: 'index' })),
  };
}

/** Compares with all vectors. */
export function exact(pool: Pool, collection: Collection): VectorSearcher {
  const db = pool.lane('interactive');
  return {
    name: 'exact',
    search: async (vector) => idsOf(await searchChunks(db, collection, { vector, limit: k, access: 'scan' })),
  };
}

/** The limit of one process: as many clients as there are callers, a prepared statement, a binary vector. */
export async function barePg(
  connectionString: string,
  collection: Collection,
  clients: number,
): Promise<VectorSearcher & AsyncDisposable> {
  const all = Array.from({ length: clients }, () => new pg.Client({ connectionString }));
  await Promise.all(all.map((client) => client.connect()));
  const text = nearestSql(collection, `$1::vector(${collection.dimensions})`);
  const free = [...all];
  return {
    name: 'bare pg',
    async search(vector) {
      const client = free.pop();
      if (!client) throw new Error(`more than ${clients} callers`);
      const { rows } = await client.query<Row>({ name: 'nearest', text, values: [encodeVector(vector)] });
      free.push(client);
      return idsOf(rows);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((client) => client.end()));
    },
  };
}

/** As most write it: a vector as text, not prepared. */
export function pgPoolText({ pool }: Peer, collection: Collection): VectorSearcher {
  const text = nearestSql(collection, '$1::vector');
  return {
    name: 'pg-pool, text',
    search: async (vector) => idsOf((await pool.query<Row>(text, [asText(vector)])).rows),
  };
}

export function connectionPerQuery(connectionString: string, collection: Collection): VectorSearcher {
  const text = nearestSql(collection, '$1::vector');
  return {
    name: 'connection per query',
    async search(vector) {
      const client = new pg.Client({ connectionString });
      await client.connect();
      const { rows } = await client.query<Row>(text, [asText(vector)]);
      await client.end();
      return idsOf(rows);
    },
  };
}

export async function langChain(peer: Peer, collection: Collection): Promise<VectorSearcher> {
  const store = await createLangChainStore(peer, tableOf(collection));
  return {
    name: 'LangChain.js',
    // It takes an array of numbers; whoever embeds has one.
    async search(vector) {
      const found = await store.similaritySearchVectorWithScore(Array.from(vector), k);
      return found.map(([document]) => document.id ?? '');
    },
  };
}

export const openPool = (connectionString: string, effort: number) =>
  createPool({
    connectionString,
    settings: {
      'hnsw.ef_search': String(effort),
      'hnsw.iterative_scan': 'strict_order',
      max_parallel_workers_per_gather: '0',
    },
  });
