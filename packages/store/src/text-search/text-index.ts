import type { Queryable, Transaction } from '@sluice/pool';
import { chunkTable } from '../chunk-table.ts';
import { type Collection, changesChannel, notifyCollection } from '../collections.ts';
import {
  createMissingWordsIndexSql,
  createTextIndexSql,
  missingWordsIndexOf,
  type TextIndex,
  textIndexOf,
} from './text-index-sql.ts';

/**
 * Turns text search on or off. On, the words of chunks that are there are made by `fillWords` before searches use them. Takes the
 * chunk table alone for a moment, and gives up when that cannot be had in two seconds.
 */
export async function declareTextSearch(
  transaction: Transaction,
  collectionId: number,
  enabled: boolean,
): Promise<void> {
  const { rowCount } = await transaction.query(
    `update sluice.collections set text_index = $2::text where id = $1::bigint and (text_index <> 'off') <> $3::boolean`,
    [collectionId, enabled ? 'filling' : 'off', enabled],
  );
  if (rowCount === 0) return;
  await transaction.query("set local lock_timeout = '2s'");
  if (enabled) {
    await transaction.query(
      `alter table ${chunkTable(collectionId)} add column if not exists words tsvector`,
    );
  } else {
    await transaction.query(
      `drop index if exists ${textIndexOf(collectionId)}, ${missingWordsIndexOf(collectionId)}`,
    );
  }
  await notifyCollection(transaction, collectionId);
}

export interface TextWork extends Pick<Collection, 'id' | 'name' | 'language' | 'textIndex' | 'vectorIndex'> {
  /** Some of its uploads wait or are being worked on. */
  loading: boolean;
  /** Of those that it needs, some are not there. */
  unindexed: boolean;
}

/** Collections with text search on which nobody builds an index just now. */
export async function listTextWork(db: Queryable): Promise<TextWork[]> {
  const { rows } = await db.query<TextWork & Record<string, unknown>>(
    `select id, name, language, text_index as "textIndex", vector_index as "vectorIndex", exists (
       select from sluice.uploads u where u.collection_id = c.id and u.state in ('queued', 'processing')
     ) as loading, not exists (
       select from pg_index where indexrelid = to_regclass('sluice.chunks_' || c.id || '_wordless') and indisvalid
     ) as unindexed
     from sluice.collections c
     where text_index <> 'off' and not exists (
       select from pg_stat_progress_create_index where relid = to_regclass('sluice.chunks_' || c.id)
     ) order by id`,
  );
  return rows;
}

/** Beside reads and writes, so not in a transaction. What somebody has left half built is dropped first. */
async function buildIndex(db: Queryable, index: string, create: string, signal?: AbortSignal): Promise<void> {
  const { rows } = await db.query<{ broken: boolean }>(
    'select exists (select from pg_index where indexrelid = to_regclass($1::text) and not indisvalid) as broken',
    [index],
  );
  if (rows[0]?.broken) await db.query(`drop index concurrently if exists ${index}`);
  await db.query(create, [], { signal });
}

const options = 'concurrently if not exists';

export function buildMissingWordsIndex(
  db: Queryable,
  collectionId: number,
  signal?: AbortSignal,
): Promise<void> {
  const create = createMissingWordsIndexSql(collectionId, options);
  return buildIndex(db, missingWordsIndexOf(collectionId), create, signal);
}

export async function buildTextIndex(
  db: Queryable,
  collectionId: number,
  signal?: AbortSignal,
): Promise<void> {
  await buildIndex(db, textIndexOf(collectionId), createTextIndexSql(collectionId, options), signal);
  // Only then is it known which words are common.
  await db.query(`analyze ${chunkTable(collectionId)} (words)`, [], { signal });
}

/** Lets searches know. False when it was in another state by then. */
export async function announceTextIndex(
  db: Queryable,
  collectionId: number,
  from: TextIndex,
  to: TextIndex,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `with changed as (
       update sluice.collections set text_index = $3::text where id = $1::bigint and text_index = $2::text returning id
     )
     select pg_notify($4::text, id::text) from changed`,
    [collectionId, from, to, changesChannel],
  );
  return rowCount === 1;
}
