import type { Queryable } from '@sluice/pool';
import { chunkTable, vectorIndexOf } from './chunk-table.ts';
import { type Collection, changesChannel } from './collections.ts';

export interface DeferredCollection extends Pick<Collection, 'id' | 'name' | 'storage' | 'distance'> {
  /** Some of its uploads wait or are being worked on. */
  loading: boolean;
}

/** Collections that have no vector index yet and will get one. */
export async function listDeferredCollections(db: Queryable): Promise<DeferredCollection[]> {
  const { rows } = await db.query<DeferredCollection & Record<string, unknown>>(
    `select id, name, storage, distance, exists (
       select from sluice.uploads u where u.collection_id = c.id and u.state in ('queued', 'processing')
     ) as loading
     from sluice.collections c where vector_index = 'deferred' order by id`,
  );
  return rows;
}

export async function countLiveChunks(db: Queryable, collectionId: number): Promise<number> {
  const { rows } = await db.query<{ chunks: number }>(
    `select coalesce(sum(chunk_count), 0)::bigint as chunks from sluice.documents
     where collection_id = $1::bigint and live_upload_id is not null`,
    [collectionId],
  );
  return rows[0]?.chunks ?? 0;
}

/** `building`: by somebody, now. `broken`: whoever built it died. */
export type IndexState = 'none' | 'building' | 'broken' | 'valid';

export async function readIndexState(db: Queryable, collectionId: number): Promise<IndexState> {
  const { rows } = await db.query<{ state: IndexState }>(
    `select case
       when exists (select from pg_stat_progress_create_index where relid = to_regclass($1::text)) then 'building'
       when not exists (select from pg_index where indexrelid = to_regclass($2::text)) then 'none'
       when exists (select from pg_index where indexrelid = to_regclass($2::text) and indisvalid) then 'valid'
       else 'broken' end as state`,
    [chunkTable(collectionId), vectorIndexOf(collectionId)],
  );
  return rows[0]?.state ?? 'none';
}

export async function dropVectorIndex(db: Queryable, collectionId: number): Promise<void> {
  await db.query(`drop index concurrently if exists ${vectorIndexOf(collectionId)}`);
}

/** Ends a build under way, which would keep everybody waiting who needs the table for himself. */
export async function cancelIndexBuild(db: Queryable, collectionId: number): Promise<void> {
  await db.query(
    'select pg_cancel_backend(pid) from pg_stat_progress_create_index where relid = to_regclass($1::text)',
    [chunkTable(collectionId)],
  );
}

/** Lets searches know of the index. False when somebody else has. */
export async function announceVectorIndex(db: Queryable, collectionId: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `with indexed as (
       update sluice.collections set vector_index = 'hnsw' where id = $1::bigint and vector_index = 'deferred' returning id
     )
     select pg_notify($2::text, id::text) from indexed`,
    [collectionId, changesChannel],
  );
  return rowCount === 1;
}
