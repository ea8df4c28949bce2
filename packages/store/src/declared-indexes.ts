import type { Queryable, Transaction } from '@sluice/pool';
import { chunkTable } from './chunk-table.ts';
import { changesChannel, notifyCollection } from './collections.ts';
import { createMetadataIndexSql, type MetadataIndex, metadataIndexName } from './metadata-index.ts';

/** `ready`: built, so that filters are compiled for it. */
export interface DeclaredIndex extends MetadataIndex {
  ready: boolean;
}

const isSame = (a: MetadataIndex) => (b: MetadataIndex) => a.field === b.field && a.type === b.type;

/** What a collection shall have from now on; what is new has to be built, and what is left out is dropped, by `MetadataIndexWork`. */
export async function declareMetadataIndexes(
  transaction: Transaction,
  collectionId: number,
  indexes: readonly MetadataIndex[],
): Promise<void> {
  const { rows } = await transaction.query<{ declared: DeclaredIndex[] }>(
    'select metadata_indexes as declared from sluice.collections where id = $1::bigint for update',
    [collectionId],
  );
  const before = rows[0]?.declared ?? [];
  const declared = indexes.map(({ field, type }): DeclaredIndex => {
    return { field, type, ready: before.find(isSame({ field, type }))?.ready ?? false };
  });
  await transaction.query(
    'update sluice.collections set metadata_indexes = $2::jsonb where id = $1::bigint',
    [collectionId, JSON.stringify(declared)],
  );
  await notifyCollection(transaction, collectionId);
}

/** Where the indexes of a collection are not what was declared. */
export interface MetadataIndexWork {
  collectionId: number;
  collection: string;
  build: MetadataIndex[];
  /** Names: of those that nobody declares any more, and of those whose builder died. */
  drop: string[];
}

interface IndexesRow extends Record<string, unknown> {
  collectionId: number;
  collection: string;
  declared: DeclaredIndex[];
  existing: { name: string; valid: boolean }[];
}

/** Without collections on which somebody builds an index just now. */
export async function listMetadataIndexWork(db: Queryable): Promise<MetadataIndexWork[]> {
  const { rows } = await db.query<IndexesRow>(
    `with existing as (
       select x.indrelid, json_agg(json_build_object('name', i.relname, 'valid', x.indisvalid)) as indexes
       from pg_class i join pg_index x on x.indexrelid = i.oid
       where i.relnamespace = 'sluice'::regnamespace and i.relkind = 'i' and i.relname ~ '^chunks_[0-9]+_by_'
       group by x.indrelid
     )
     select c.id as "collectionId", c.name as collection, c.metadata_indexes as declared, coalesce(e.indexes, '[]') as existing
     from sluice.collections c left join existing e on e.indrelid = to_regclass('sluice.chunks_' || c.id)
     where (c.metadata_indexes <> '[]' or e.indexes is not null) and not exists (
       select from pg_stat_progress_create_index where relid = to_regclass('sluice.chunks_' || c.id)
     )`,
  );
  return rows.map(workOf).filter(({ build, drop }) => build.length + drop.length > 0);
}

function workOf({ collectionId, collection, declared, existing }: IndexesRow): MetadataIndexWork {
  const names = new Set(declared.map((index) => metadataIndexName(collectionId, index)));
  const valid = new Set(existing.filter((index) => index.valid).map(({ name }) => name));
  return {
    collectionId,
    collection,
    build: declared.filter((index) => !index.ready || !valid.has(metadataIndexName(collectionId, index))),
    drop: existing.filter((index) => !index.valid || !names.has(index.name)).map(({ name }) => name),
  };
}

/** Beside reads and writes, so not in a transaction. */
export async function dropMetadataIndex(db: Queryable, name: string): Promise<void> {
  if (!/^chunks_\d+_by_[a-z0-9_]+$/.test(name)) throw new TypeError(`index ${name}`);
  await db.query(`drop index concurrently if exists sluice.${name}`);
}

/** Beside reads and writes, so not in a transaction; then filters use it. */
export async function buildMetadataIndex(
  db: Queryable,
  collectionId: number,
  index: MetadataIndex,
  signal?: AbortSignal,
): Promise<void> {
  await db.query(createMetadataIndexSql(collectionId, index, 'concurrently if not exists'), [], { signal });
  // Only then does the planner know how the values are spread, and which filters are selective.
  await db.query(`analyze ${chunkTable(collectionId)}`, [], { signal });
  await db.query(
    `with announced as (
       update sluice.collections set metadata_indexes = (
         select jsonb_agg(case when e ->> 'field' = $2::text and e ->> 'type' = $3::text then e || '{"ready": true}' else e end
           order by place)
         from jsonb_array_elements(metadata_indexes) with ordinality d (e, place)
       )
       where id = $1::bigint and metadata_indexes <> '[]' returning id
     )
     select pg_notify($4::text, id::text) from announced`,
    [collectionId, index.field, index.type, changesChannel],
  );
}
