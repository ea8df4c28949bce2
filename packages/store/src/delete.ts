import type { Transaction } from '@sluice/pool';
import { dropChunkTable, emptyChunkTable } from './chunk-table.ts';
import { bumpGeneration, holdCollectionOf, notifyCollection } from './collections.ts';
import { countChunks, countHoldings, type Deletion, recordDeletion } from './deletions.ts';
import { cancelIndexBuild } from './vector-index.ts';

/**
 * Locks the uploads of a document in the order of their ids and then the document, as publishing does, after the collection, so that
 * they cannot deadlock and what is read next stays true until commit.
 */
async function lockDocument(
  transaction: Transaction,
  id: string,
): Promise<{
  uploadIds: string[];
  document: { collectionId: number; liveUploadId: string | null } | undefined;
}> {
  await holdCollectionOf(transaction, id);
  const uploads = await transaction.query<{ id: string }>(
    'select id from sluice.uploads where document_id = $1::uuid order by id for update',
    [id],
  );
  const { rows } = await transaction.query<{ collectionId: number; liveUploadId: string | null }>(
    `select collection_id as "collectionId", live_upload_id as "liveUploadId" from sluice.documents
     where id = $1::uuid for update`,
    [id],
  );
  return { uploadIds: uploads.rows.map((row) => row.id), document: rows[0] };
}

async function removeDocument(
  transaction: Transaction,
  id: string,
  collectionId: number,
): Promise<Omit<Deletion, 'id' | 'kind' | 'target' | 'deletedAt'>> {
  const chunks = await countChunks(transaction, collectionId, id);
  // Read again: between the two locks an upload may have been accepted for the document.
  const { rows } = await transaction.query<{ id: string }>(
    'select id from sluice.uploads where document_id = $1::uuid',
    [id],
  );
  const uploadIds = rows.map((row) => row.id);
  const holdings = await countHoldings(transaction, uploadIds);
  const documents = await transaction.query('delete from sluice.documents where id = $1::uuid', [id]);
  const uploads = await transaction.query('delete from sluice.uploads where document_id = $1::uuid', [id]);
  const generation = await bumpGeneration(transaction, collectionId);
  const deleted = { documents: documents.rowCount, uploads: uploads.rowCount, chunks, ...holdings };
  return { collectionId, documentId: id, uploadIds, generation, deleted };
}

/**
 * Removes a document, its chunks and all its uploads, also those under way: they find their row gone and end. Undefined when there is
 * none.
 */
export async function deleteDocument(transaction: Transaction, id: string): Promise<Deletion | undefined> {
  const { document } = await lockDocument(transaction, id);
  if (!document) return undefined;
  const removed = await removeDocument(transaction, id, document.collectionId);
  return recordDeletion(transaction, { kind: 'document', target: id, ...removed });
}

async function removeUpload(
  transaction: Transaction,
  id: string,
): Promise<Omit<Deletion, 'id' | 'kind' | 'target' | 'deletedAt'> | undefined> {
  const holdings = await countHoldings(transaction, [id]);
  const { rows } = await transaction.query<{ collectionId: number; generation: number }>(
    `delete from sluice.uploads u using sluice.collections c where u.id = $1::uuid and c.id = u.collection_id
     returning c.id as "collectionId", c.generation`,
    [id],
  );
  if (!rows[0]) return undefined;
  const deleted = { documents: 0, uploads: 1, chunks: 0, ...holdings };
  return { ...rows[0], documentId: null, uploadIds: [id], deleted };
}

/**
 * Removes an upload with everything that came of it: its bytes, what was staged, and the document when this upload is
 * its live version or the only one it ever had. Undefined when there is none.
 */
export async function deleteUpload(transaction: Transaction, id: string): Promise<Deletion | undefined> {
  const { rows } = await transaction.query<{ documentId: string }>(
    `select document_id as "documentId" from sluice.uploads where id = $1::uuid and state <> 'receiving'`,
    [id],
  );
  const documentId = rows[0]?.documentId;
  if (!documentId) return undefined;
  const { uploadIds, document } = await lockDocument(transaction, documentId);
  if (!uploadIds.includes(id)) return undefined;
  const last = document?.liveUploadId === null && uploadIds.length === 1;
  const goes = document && (document.liveUploadId === id || last);
  const removed = goes
    ? await removeDocument(transaction, documentId, document.collectionId)
    : await removeUpload(transaction, id);
  return removed && recordDeletion(transaction, { kind: 'upload', target: id, ...removed });
}

// What has ended well has neither bytes nor staged chunks nor a job.
const unfinished = `select id from sluice.uploads where collection_id = $1::bigint and state not in ('ready', 'superseded')
  order by id for update`;

/** Removes the collection with all its documents, chunks and uploads. Undefined when there is none. */
export async function deleteCollection(transaction: Transaction, id: number): Promise<Deletion | undefined> {
  // Waits for those who hold it, see `holdCollections`; from then on nothing comes to the collection and nothing in it changes hands.
  const held = await transaction.query('select from sluice.collections where id = $1::bigint for update', [
    id,
  ]);
  if (held.rowCount === 0) return undefined;
  const { rows: ids } = await transaction.query<{ id: string }>(unfinished, [id]);
  // The cascade over the documents would delete chunks row by row.
  await cancelIndexBuild(transaction, id);
  await emptyChunkTable(transaction, id);
  const uploadIds = ids.map((row) => row.id);
  const holdings = await countHoldings(transaction, uploadIds);
  // The chunks that were searchable: as many as the documents say, whose rows have been truncated.
  const { rows: sums } = await transaction.query<{ documents: number; chunks: number; uploads: number }>(
    `select count(*) as documents, coalesce(sum(chunk_count), 0)::bigint as chunks,
       (select count(*) from sluice.uploads where collection_id = $1::bigint) as uploads
     from sluice.documents where collection_id = $1::bigint`,
    [id],
  );
  const { rows } = await transaction.query<{ name: string; generation: number }>(
    'delete from sluice.collections where id = $1::bigint returning name, generation',
    [id],
  );
  if (!rows[0]) return undefined;
  await dropChunkTable(transaction, id);
  await notifyCollection(transaction, id);
  const { documents = 0, chunks = 0, uploads = 0 } = sums[0] ?? {};
  return recordDeletion(transaction, {
    kind: 'collection',
    target: rows[0].name,
    collectionId: id,
    documentId: null,
    uploadIds,
    generation: rows[0].generation,
    deleted: { documents, uploads, chunks, ...holdings },
  });
}
