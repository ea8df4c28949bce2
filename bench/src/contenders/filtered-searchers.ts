import type { Filter } from '@sluice/contract';
import type { Pool } from '@sluice/pool';
import { createChunkFinder } from '@sluice/search';
import { type Collection, encodeVector, searchChunks } from '@sluice/store';
import { createLangChainStore } from './lang-chain.ts';
import type { Peer } from './pg-pool.ts';
import { k, type VectorSearcher } from './vector-searchers.ts';

/** Equality of one key. */
export type Condition = Readonly<Record<string, number>>;

const filterOf = (value: Condition): Filter => ({ op: 'contains', value });

/** As the product answers: it estimates what the filter lets through, and takes the way that loses nothing. */
export function oursFiltered(
  pool: Pool,
  collection: Collection,
  condition: Condition,
  effort: number,
): VectorSearcher {
  const find = createChunkFinder(pool.lane('interactive'));
  return {
    name: 'ours',
    async search(vector) {
      const { hits } = await find(collection, { vector, k, effort, filter: filterOf(condition) });
      return hits.map(({ id }) => id);
    },
  };
}

/** Compares all that the filter lets through. */
export function exactFiltered(pool: Pool, collection: Collection, condition: Condition): VectorSearcher {
  const db = pool.lane('interactive');
  const query = { limit: k, access: 'scan' as const, filter: filterOf(condition) };
  return {
    name: 'exact',
    async search(vector) {
      const hits = await searchChunks(db, collection, { ...query, vector });
      return hits.map(({ id }) => id);
    },
  };
}

/** Without an iterative scan, as pgvector comes: the filter applies to the `hnsw.ef_search` nearest. */
export function plainFiltered({ pool }: Peer, collection: Collection, condition: Condition): VectorSearcher {
  const distance = `embedding <=> $1::vector(${collection.dimensions})`;
  const text = `select id, text, metadata, ${distance} as distance from sluice.chunks_${collection.id}
    where metadata @> $2::jsonb order by ${distance} limit ${k}`;
  return {
    name: 'pgvector as it comes',
    async search(vector) {
      const values = [encodeVector(vector), JSON.stringify(condition)];
      const { rows } = await pool.query<{ id: string }>({ name: 'filtered', text, values });
      return rows.map(({ id }) => id);
    },
  };
}

export async function langChainFiltered(
  peer: Peer,
  { id }: Collection,
  condition: Condition,
): Promise<VectorSearcher> {
  const store = await createLangChainStore(peer, `sluice.chunks_${id}`);
  return {
    name: 'LangChain.js',
    async search(vector) {
      const found = await store.similaritySearchVectorWithScore(Array.from(vector), k, condition);
      return found.map(([document]) => document.id ?? '');
    },
  };
}
