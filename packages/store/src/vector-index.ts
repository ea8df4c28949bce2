import type { Queryable, Transaction } from '@sluice/pool';
import { chunkTable, denserIndexOf, vectorIndexOf } from './chunk-table.ts';
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

export async function readIndexState(
  db: Queryable,
  collectionId: number,
  { denser = false } = {},
): Promise<IndexState> {
  const { rows } = await db.query<{ state: IndexState }>(
    `select case
       when exists (select from pg_stat_progress_create_index where relid = to_regclass($1::text)) then 'building'
       when not exists (select from pg_index where indexrelid = to_regclass($2::text)) then 'none'
       when exists (select from pg_index where indexrelid = to_regclass($2::text) and indisvalid) then 'valid'
       else 'broken' end as state`,
    [chunkTable(collectionId), denser ? denserIndexOf(collectionId) : vectorIndexOf(collectionId)],
  );
  return rows[0]?.state ?? 'none';
}

export async function dropVectorIndex(
  db: Queryable,
  collectionId: number,
  { denser = false } = {},
): Promise<void> {
  const index = denser ? denserIndexOf(collectionId) : vectorIndexOf(collectionId);
  await db.query(`drop index concurrently if exists ${index}`);
}

export interface SparseCollection extends Pick<Collection, 'id' | 'name' | 'storage' | 'distance'> {
  /** When it was measured. */
  chunks: number;
}

/** Collections whose vector index, as pgvector builds it, was measured to hold the wanted recall at no effort: what is chosen then is the greatest. */
export async function listSparseCollections(db: Queryable): Promise<SparseCollection[]> {
  const { rows } = await db.query<SparseCollection & Record<string, unknown>>(
    `select c.id, c.name, c.storage, c.distance, m.chunks from sluice.collections c
     join sluice.recall_measurements m on m.collection_id = c.id
     join pg_class i on i.oid = to_regclass('sluice.chunks_' || c.id || '_hnsw')
     where c.vector_index = 'hnsw' and m.recall < m.target and i.reloptions is null order by c.id`,
  );
  return rows;
}

/** Puts the denser index in the place of the other one. What was measured is no longer true. False when somebody else has. */
export async function adoptDenserIndex(transaction: Transaction, collectionId: number): Promise<boolean> {
  const index = vectorIndexOf(collectionId);
  const denser = denserIndexOf(collectionId);
  // Whoever searches keeps the old one, and everybody else waits behind us: behind a backup that would be for minutes.
  await transaction.query("set local lock_timeout = '200ms'");
  await transaction.query(`lock table ${chunkTable(collectionId)} in share update exclusive mode`);
  const { rows } = await transaction.query<{ there: boolean }>(
    'select to_regclass($1::text) is not null as there',
    [denser],
  );
  if (!rows[0]?.there) return false;
  await transaction.query(`drop index ${index}`);
  await transaction.query(`alter index ${denser} rename to ${index.replace('sluice.', '')}`);
  await transaction.query('delete from sluice.recall_measurements where collection_id = $1::bigint', [
    collectionId,
  ]);
  await transaction.query('select pg_notify($1::text, $2::text)', [changesChannel, String(collectionId)]);
  return true;
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
