import { randomUUID } from 'node:crypto';
import type { Queryable } from '@sluice/pool';
import { chunkTable } from './chunk-table.ts';

/** Rows, by what they hold. */
export interface DeletionCounts {
  documents: number;
  uploads: number;
  /** Searchable ones. */
  chunks: number;
  /** Of versions that were being worked on. */
  stagedChunks: number;
  /** Pieces of uploaded files, up to 1 MiB each. */
  parts: number;
}

/** What was deleted, and all that is needed to count what is left of it. */
export interface Deletion {
  id: string;
  kind: 'upload' | 'document' | 'collection';
  /** Id of the upload or document, name of the collection. */
  target: string;
  collectionId: number;
  /** The document that went; null when none did, or all of a collection. */
  documentId: string | null;
  /** Of the uploads that went; of a collection only those that could still have had bytes, staged chunks or a job. */
  uploadIds: string[];
  /** Of the collection, from the deletion on. */
  generation: number;
  deleted: DeletionCounts;
  deletedAt: Date;
}

const columns = `id, kind, target, collection_id as "collectionId", document_id as "documentId", upload_ids as "uploadIds",
  generation, deleted, deleted_at as "deletedAt"`;

type DeletionRow = Deletion & Record<string, unknown>;

/** In the deleting transaction: a deletion without a record, or a record of what did not happen, would be no proof. */
export async function recordDeletion(
  db: Queryable,
  deletion: Omit<Deletion, 'id' | 'deletedAt'>,
): Promise<Deletion> {
  const { rows } = await db.query<DeletionRow>(
    `insert into sluice.deletions (id, kind, target, collection_id, document_id, upload_ids, generation, deleted)
     values ($1::uuid, $2::text, $3::text, $4::bigint, $5::uuid, $6::uuid[], $7::bigint, $8::jsonb) returning ${columns}`,
    [
      randomUUID(),
      deletion.kind,
      deletion.target,
      deletion.collectionId,
      deletion.documentId,
      deletion.uploadIds,
      deletion.generation,
      JSON.stringify(deletion.deleted),
    ],
  );
  return rows[0] as Deletion;
}

export async function findDeletion(db: Queryable, id: string): Promise<Deletion | undefined> {
  const { rows } = await db.query<DeletionRow>(
    `select ${columns} from sluice.deletions where id = $1::uuid`,
    [id],
  );
  return rows[0];
}

/** Rows that these uploads have beside their own. */
export async function countHoldings(
  db: Queryable,
  uploadIds: readonly string[],
): Promise<Pick<DeletionCounts, 'parts' | 'stagedChunks'>> {
  const { rows } = await db.query<{ parts: number; stagedChunks: number }>(
    `select (select count(*) from sluice.upload_parts where upload_id = any($1::uuid[])) as parts,
       (select count(*) from sluice.staged_chunks where upload_id = any($1::uuid[])) as "stagedChunks"`,
    [uploadIds],
  );
  return rows[0] as { parts: number; stagedChunks: number };
}

export async function countChunks(
  db: Queryable,
  collectionId: number,
  documentId: string | null,
): Promise<number> {
  const table = chunkTable(collectionId);
  const { rows: tables } = await db.query<{ exists: boolean }>(
    'select to_regclass($1::text) is not null as exists',
    [table],
  );
  if (!tables[0]?.exists) return 0;
  const { rows } = await db.query<{ count: number }>(
    `select count(*) as count from ${table} where $1::uuid is null or document_id = $1::uuid`,
    [documentId],
  );
  return rows[0]?.count ?? 0;
}

/** Looks for every row of what was deleted, now. Ask the primary. */
export async function countRemaining(db: Queryable, deletion: Deletion): Promise<DeletionCounts> {
  const { kind, collectionId, documentId, uploadIds } = deletion;
  const { rows } = await db.query<{ documents: number; uploads: number }>(
    kind === 'collection'
      ? `select (select count(*) from sluice.documents where collection_id = $1::bigint) as documents,
           (select count(*) from sluice.uploads where collection_id = $1::bigint) as uploads`
      : `select (select count(*) from sluice.documents where id = $1::uuid) as documents,
           (select count(*) from sluice.uploads where id = any($2::uuid[]) or document_id = $1::uuid) as uploads`,
    kind === 'collection' ? [collectionId] : [documentId, uploadIds],
  );
  const searchable = kind === 'collection' || documentId !== null;
  return {
    documents: rows[0]?.documents ?? 0,
    uploads: rows[0]?.uploads ?? 0,
    chunks: searchable ? await countChunks(db, collectionId, documentId) : 0,
    ...(await countHoldings(db, uploadIds)),
  };
}

/** Returns how many. */
export async function deleteOldDeletions(db: Queryable, olderThanMs: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from sluice.deletions where deleted_at < now() - $1::double precision * interval '1 millisecond'`,
    [olderThanMs],
  );
  return rowCount;
}
