import type { Queryable } from '@sluice/pool';
import { chunkTable } from './chunk-table.ts';

export interface CollectionStatistics {
  documents: number;
  chunks: number;
  characters: number;
  /** Uploads of the collection that are not final yet. */
  uploadsPending: number;
  /** Of the chunk table with its indexes, in bytes. */
  bytes: number;
}

/** Sums over the documents, not over the chunks: no scan of the big table. */
export async function collectionStatistics(
  db: Queryable,
  collectionId: number,
): Promise<CollectionStatistics> {
  const { rows } = await db.query<CollectionStatistics & Record<string, unknown>>(
    `select d.documents, d.chunks, d.characters,
       (select count(*) from sluice.uploads where collection_id = $1::bigint and state in ('queued', 'processing'))
         as "uploadsPending",
       coalesce(pg_total_relation_size(to_regclass($2::text)), 0) as bytes
     from (
       select count(*) as documents, coalesce(sum(chunk_count), 0)::bigint as chunks,
         coalesce(sum(character_count), 0)::bigint as characters
       from sluice.documents where collection_id = $1::bigint and live_upload_id is not null
     ) d`,
    [collectionId, chunkTable(collectionId)],
    { prepare: true },
  );
  return rows[0] as CollectionStatistics;
}
