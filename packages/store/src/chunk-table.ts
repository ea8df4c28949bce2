import type { Queryable } from '@sluice/pool';
import type { Collection, Distance } from './collections.ts';

/** One table per collection: a typed vector column, and indexes that only this collection's searches touch. */
export function chunkTable(collectionId: number): string {
  if (!Number.isSafeInteger(collectionId)) throw new TypeError(`collection id ${collectionId}`);
  return `sluice.chunks_${collectionId}`;
}

const operatorNames: Record<Distance, string> = { cosine: 'cosine', l2: 'l2', inner_product: 'ip' };
export const distanceOperators: Record<Distance, string> = { cosine: '<=>', l2: '<->', inner_product: '<#>' };

/**
 * `none` searches exactly, by a scan. Right where index maintenance would block everybody: a PGlite, with its one session,
 * adds about 120 vectors a second to HNSW and 10 000 without, and scans 20 000 in 30 ms.
 */
export type VectorIndex = 'hnsw' | 'none';

export async function createChunkTable(
  db: Queryable,
  { id, storage, dimensions, distance }: Pick<Collection, 'id' | 'storage' | 'dimensions' | 'distance'>,
  vectorIndex: VectorIndex,
): Promise<void> {
  const table = chunkTable(id);
  await db.query(
    `create table ${table} (
       id uuid primary key,
       document_id uuid not null references sluice.documents (id) on delete cascade,
       ordinal integer not null,
       text text not null,
       tokens integer not null,
       page integer,
       heading_path text[] not null,
       char_start integer not null,
       char_end integer not null,
       metadata jsonb not null,
       embedding ${storage}(${dimensions}) not null
     )`,
  );
  await db.query(`create index on ${table} (document_id, ordinal)`);
  await db.query(`create index on ${table} using gin (metadata jsonb_path_ops)`);
  if (vectorIndex === 'none') return;
  await db.query(`create index on ${table} using hnsw (embedding ${storage}_${operatorNames[distance]}_ops)`);
}

export async function dropChunkTable(db: Queryable, collectionId: number): Promise<void> {
  await db.query(`drop table if exists ${chunkTable(collectionId)}`);
}
