import type { Queryable, Transaction } from '@sluice/pool';
import { bumpGeneration } from './collections.ts';

export interface Document {
  id: string;
  collectionId: number;
  collectionName: string;
  externalId: string;
  name: string;
  format: string;
  title: string | null;
  metadata: Record<string, unknown>;
  chunks: number;
  characters: number;
  liveUploadId: string;
  createdAt: Date;
  updatedAt: Date;
}

/** A live document, else undefined. */
export async function findDocument(db: Queryable, id: string): Promise<Document | undefined> {
  const { rows } = await db.query<Document & Record<string, unknown>>(
    `select d.id, d.collection_id as "collectionId", c.name as "collectionName", d.external_id as "externalId", d.name,
       d.format, d.title, d.metadata, d.chunk_count as chunks, d.character_count as characters,
       d.live_upload_id as "liveUploadId", d.created_at as "createdAt", d.updated_at as "updatedAt"
     from sluice.documents d join sluice.collections c on c.id = d.collection_id
     where d.id = $1::uuid and d.live_upload_id is not null`,
    [id],
  );
  return rows[0];
}

/**
 * Removes a document, its chunks and all its uploads, also those under way: they find their row gone and end. Returns
 * whether it existed. Locks the uploads first, as publishing does, so that the two cannot deadlock.
 */
export async function deleteDocument(transaction: Transaction, id: string): Promise<boolean> {
  await transaction.query('select from sluice.uploads where document_id = $1::uuid order by id for update', [
    id,
  ]);
  const { rows } = await transaction.query<{ collectionId: number }>(
    'delete from sluice.documents where id = $1::uuid returning collection_id as "collectionId"',
    [id],
  );
  if (!rows[0]) return false;
  await transaction.query('delete from sluice.uploads where document_id = $1::uuid', [id]);
  await bumpGeneration(transaction, rows[0].collectionId);
  return true;
}

/**
 * Removes an upload with everything that came of it: its bytes, what was staged, and the document when this upload is
 * its live version or the only one it ever had. Returns whether the upload existed.
 */
export async function deleteUpload(transaction: Transaction, id: string): Promise<boolean> {
  const { rows } = await transaction.query<{ documentId: string }>(
    `delete from sluice.uploads where id = $1::uuid and state <> 'receiving' returning document_id as "documentId"`,
    [id],
  );
  const documentId = rows[0]?.documentId;
  if (!documentId) return false;
  const left = await transaction.query(
    `select from sluice.documents d where d.id = $1::uuid and (d.live_upload_id = $2::uuid
       or (d.live_upload_id is null and not exists (select from sluice.uploads u where u.document_id = d.id)))`,
    [documentId, id],
  );
  if (left.rowCount > 0) await deleteDocument(transaction, documentId);
  return true;
}
