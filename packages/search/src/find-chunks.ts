import type { Filter } from '@sluice/contract';
import type { Queryable } from '@sluice/pool';
import { type ChunkHit, type Collection, searchChunks } from '@sluice/store';
import { createAccessChooser } from './access.ts';

/** hnsw: by the vector index. filter: all chunks that the filter let through were compared. exact: all chunks were. */
export type IndexUsed = 'hnsw' | 'filter' | 'exact';

export interface FoundChunks {
  hits: ChunkHit[];
  index: IndexUsed;
}

export interface ChunkQuestion {
  vector: Float32Array;
  k: number;
  filter?: Filter | undefined;
}

export type ChunkFinder = (collection: Collection, question: ChunkQuestion) => Promise<FoundChunks>;

/** The nearest chunks, by the way that loses none of them. */
export function createChunkFinder(db: Queryable): ChunkFinder {
  const chooser = createAccessChooser(db);

  return async (collection, { vector, k, filter }) => {
    const { access } = await chooser.choose(collection, filter, k);
    const question = { vector, limit: k, filter };
    const hits = await searchChunks(db, collection, { ...question, access });
    if (access === 'index' && (!filter || hits.length === k)) return { hits, index: 'hnsw' };
    const index = filter ? 'filter' : 'exact';
    if (access === 'scan') return { hits, index };
    // The index has given up before it had enough. Whatever it was that the filter let through, it is little.
    chooser.underReturned(collection, filter as Filter);
    return { hits: await searchChunks(db, collection, { ...question, access: 'scan' }), index };
  };
}
