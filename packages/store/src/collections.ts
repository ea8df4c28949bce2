import type { Queryable, Transaction } from '@sluice/pool';
import { sqlState } from '@sluice/pool';
import { createChunkTable, type VectorIndex } from './chunk-table.ts';
import type { VectorStorage } from './codec/vector.ts';
import type { DeclaredIndex } from './declared-indexes.ts';
import { StoreError } from './errors.ts';
import { createMetadataIndexSql, type MetadataIndex } from './metadata-index.ts';
import {
  createMissingWordsIndexSql,
  createTextIndexSql,
  firstTextIndex,
  type TextIndex,
} from './text-search/text-index-sql.ts';

export type Distance = 'cosine' | 'l2' | 'inner_product';

export interface NewCollection {
  name: string;
  embeddingProvider: string;
  embeddingModel: string;
  dimensions: number;
  distance: Distance;
  storage: VectorStorage;
  chunkMaxTokens: number;
  chunkOverlapTokens: number;
  language: string;
  /** Whether its chunks are found by their words, too. Default true. */
  textSearch?: boolean;
  /** Default none. */
  metadataIndexes?: readonly MetadataIndex[];
}

export interface Collection extends Omit<NewCollection, 'textSearch'> {
  id: number;
  generation: number;
  vectorIndex: VectorIndex;
  textIndex: TextIndex;
  metadataIndexes: readonly DeclaredIndex[];
  /** `hnsw.ef_search` that was measured to hold its recall; null before that. */
  effort: number | null;
  createdAt: Date;
  /** A log position of the primary at which this generation was visible; absent when that is not known. */
  position?: string | undefined;
}

const collectionColumns = `
  id, name, embedding_provider as "embeddingProvider", embedding_model as "embeddingModel", dimensions, distance, storage,
  chunk_max_tokens as "chunkMaxTokens", chunk_overlap_tokens as "chunkOverlapTokens", language, generation,
  vector_index as "vectorIndex", text_index as "textIndex", metadata_indexes as "metadataIndexes",
  (select effort from sluice.recall_measurements where collection_id = collections.id) as effort,
  created_at as "createdAt"`;

// What an HNSW index of pgvector can hold.
const maxDimensions: Record<VectorStorage, number> = { vector: 2_000, halfvec: 4_000 };

function checkDimensions({ dimensions, storage }: NewCollection): void {
  const max = maxDimensions[storage];
  if (dimensions <= max) return;
  const hint =
    storage === 'vector' && dimensions <= maxDimensions.halfvec ? '; storage halfvec holds up to 4000' : '';
  throw new StoreError(
    'unsupported_dimensions',
    `storage ${storage} indexes up to ${max} dimensions, not ${dimensions}${hint}`,
    {
      dimensions,
      storage,
      max,
    },
  );
}

/** Inserts the row and creates the chunk table with its indexes. Throws `collection_exists`, `unsupported_dimensions`. */
export async function createCollection(
  transaction: Transaction,
  collection: NewCollection,
  vectorIndex: VectorIndex = 'hnsw',
): Promise<Collection> {
  checkDimensions(collection);
  const { metadataIndexes = [], textSearch = true } = collection;
  const textIndex = textSearch ? firstTextIndex(vectorIndex) : 'off';
  try {
    const { rows } = await transaction.savepoint((inner) =>
      inner.query<Collection & Record<string, unknown>>(
        `insert into sluice.collections (name, embedding_provider, embedding_model, dimensions, distance, storage,
           chunk_max_tokens, chunk_overlap_tokens, language, vector_index, metadata_indexes, text_index)
         values ($1::text, $2::text, $3::text, $4::int, $5::text, $6::text, $7::int, $8::int, $9::text, $10::text, $11::jsonb, $12::text)
         returning ${collectionColumns}`,
        [
          collection.name,
          collection.embeddingProvider,
          collection.embeddingModel,
          collection.dimensions,
          collection.distance,
          collection.storage,
          collection.chunkMaxTokens,
          collection.chunkOverlapTokens,
          collection.language,
          vectorIndex,
          JSON.stringify(metadataIndexes.map((index) => ({ ...index, ready: true }))),
          textIndex,
        ],
      ),
    );
    const created = rows[0] as Collection;
    await createChunkTable(transaction, created, vectorIndex);
    for (const index of metadataIndexes) await transaction.query(createMetadataIndexSql(created.id, index));
    if (textIndex !== 'off') await transaction.query(createMissingWordsIndexSql(created.id));
    if (textIndex === 'gin') await transaction.query(createTextIndexSql(created.id));
    await notifyCollection(transaction, created.id);
    return created;
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new StoreError('collection_exists', `a collection named ${collection.name} exists already`, {
      name: collection.name,
    });
  }
}

/** With `positions` it has to be asked of a primary; each row then has the position that its generation needs. */
export async function listCollections(
  db: Queryable,
  { positions = false }: { positions?: boolean } = {},
): Promise<Collection[]> {
  const { rows } = await db.query<Collection & Record<string, unknown>>(
    // Read after the statement's snapshot was taken, so all that the snapshot shows is before it.
    `select ${collectionColumns}${positions ? ', pg_current_wal_insert_lsn()::text as position' : ''}
     from sluice.collections order by name`,
  );
  return rows;
}

/** Of those of `ids` that exist, with positions as in `listCollections`. */
export async function readGenerations(
  db: Queryable,
  ids: readonly number[],
  { positions, signal }: { positions: boolean; signal: AbortSignal },
): Promise<Pick<Collection, 'id' | 'generation' | 'position'>[]> {
  const { rows } = await db.query<Pick<Collection, 'id' | 'generation' | 'position'>>(
    `select id, generation${positions ? ', pg_current_wal_insert_lsn()::text as position' : ''}
     from sluice.collections where id = any($1::bigint[])`,
    [ids],
    { prepare: true, signal },
  );
  return rows;
}

/** Channel on which every change of a collection's contents or definition is announced. */
export const changesChannel = 'sluice_changes';

export async function notifyCollection(db: Queryable, id: number): Promise<void> {
  await db.query('select pg_notify($1::text, $2::text)', [changesChannel, String(id)]);
}

/**
 * Whoever locks rows of a collection takes the collection's own row first, together with all others who do; only its deletion takes it
 * alone. So the two do not deadlock, however long the deletion takes. `sluice.documents` must not have been touched before: at its
 * end the deletion needs that table for itself.
 */
export async function holdCollections(db: Queryable, uploadIds: readonly string[]): Promise<void> {
  await db.query(
    `select from sluice.collections where id in (select collection_id from sluice.uploads where id = any($1::uuid[]))
     order by id for key share`,
    [uploadIds],
  );
}

/** The same for a document, found by its uploads: each has at least one. */
export async function holdCollectionOf(db: Queryable, documentId: string): Promise<void> {
  await db.query(
    `select from sluice.collections
     where id = (select collection_id from sluice.uploads where document_id = $1::uuid limit 1) for key share`,
    [documentId],
  );
}

/** Makes cached answers of the collection unreachable. The last statement before commit: the row stays locked until then. */
export async function bumpGeneration(db: Queryable, id: number): Promise<number> {
  const { rows } = await db.query<{ generation: number }>(
    `with bumped as (
       update sluice.collections set generation = generation + 1 where id = $1::bigint returning generation
     )
     select generation, pg_notify($2::text, $3::text) from bumped`,
    [id, changesChannel, String(id)],
  );
  return rows[0]?.generation ?? 0;
}
