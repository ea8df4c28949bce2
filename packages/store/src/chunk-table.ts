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
 * `deferred` gets its index when the initial load has ended, since building it then is several times faster than keeping it up
 * to date meanwhile. `none` searches exactly, by a scan. Right where index maintenance would block everybody: a PGlite, with its
 * one session, adds about 120 vectors a second to HNSW and 10 000 without, and scans 20 000 in 30 ms.
 */
export type VectorIndex = 'hnsw' | 'deferred' | 'none';

export function vectorIndexOf(collectionId: number): string {
  return `${chunkTable(collectionId)}_hnsw`;
}

/** Where the denser one is while both are there. */
export function denserIndexOf(collectionId: number): string {
  return `${vectorIndexOf(collectionId)}_denser`;
}

/**
 * `options`: words behind CREATE INDEX. `denser`: a graph of more edges (pgvector has 16 and 64), for vectors whose clusters the usual one does
 * not connect well. It takes twice as long to build.
 */
export function createVectorIndexSql(
  { id, storage, distance }: Pick<Collection, 'id' | 'storage' | 'distance'>,
  { options = '', denser = false }: { options?: string; denser?: boolean } = {},
): string {
  const name = (denser ? denserIndexOf(id) : vectorIndexOf(id)).replace('sluice.', '');
  const graph = denser ? ' with (m = 24, ef_construction = 128)' : '';
  return `create index ${options} ${name} on ${chunkTable(id)} using hnsw (embedding ${storage}_${operatorNames[distance]}_ops)${graph}`;
}

// Of Postgres, with pages of 8 kB.
const largestRow = 8_160;
const toastTarget = 2_032;
// Leaves what a row has beside its vector when text, metadata and words have moved out.
const largestInline = 7_600;

/** Bytes of a vector in a row of its chunk, or undefined where it is too large for a page and lies outside, in TOAST. */
export function inlineVectorBytes({
  storage,
  dimensions,
}: Pick<Collection, 'storage' | 'dimensions'>): number | undefined {
  const bytes = 8 + dimensions * (storage === 'vector' ? 4 : 2);
  return bytes <= largestInline ? bytes : undefined;
}

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
       embedding ${storage}(${dimensions}) not null,
       words tsvector
     )`,
  );
  const inline = inlineVectorBytes({ storage, dimensions });
  if (inline !== undefined) {
    // Comparing vectors one after the other is several times as fast as with each of them in TOAST. Everything else has the room that it
    // would have without them.
    const target = Math.min(largestRow, inline + toastTarget);
    await db.query(
      `alter table ${table} alter column embedding set storage plain, set (toast_tuple_target = ${target})`,
    );
  }
  await db.query(`create index on ${table} (document_id, ordinal)`);
  await db.query(`create index on ${table} using gin (metadata jsonb_path_ops)`);
  if (vectorIndex === 'hnsw') await db.query(createVectorIndexSql({ id, storage, distance }));
}

/** Unlike deleting rows this takes no time, and nobody but the transaction gets to the table from then on. */
export async function emptyChunkTable(db: Queryable, collectionId: number): Promise<void> {
  await db.query(`truncate ${chunkTable(collectionId)}`);
}

export async function dropChunkTable(db: Queryable, collectionId: number): Promise<void> {
  await db.query(`drop table if exists ${chunkTable(collectionId)}`);
}
