import type { Queryable } from '@sluice/pool';

export interface PublishLock {
  /** Of the document at the moment of publishing. */
  liveUploadId: string | null;
  liveSequence: number;
  sequence: number;
}

/**
 * First statements of the publishing transaction: locks the upload and its document. Undefined when the fence is no
 * longer ours or the upload or its document is gone; then nothing may be published.
 */
export async function lockForPublish(
  db: Queryable,
  uploadId: string,
  fence: number,
): Promise<PublishLock | undefined> {
  const upload = await db.query<{ sequence: number; documentId: string }>(
    `select sequence, document_id as "documentId" from sluice.uploads
     where id = $1::uuid and fence = $2::int and state = 'processing' for update`,
    [uploadId, fence],
  );
  if (!upload.rows[0]) return undefined;
  const { sequence, documentId } = upload.rows[0];
  const document = await db.query<{ liveUploadId: string | null; liveSequence: number }>(
    `select live_upload_id as "liveUploadId", live_sequence as "liveSequence" from sluice.documents
     where id = $1::uuid for update`,
    [documentId],
  );
  return document.rows[0] && { ...document.rows[0], sequence };
}

export interface LiveVersion {
  uploadId: string;
  chunks: number;
  characters: number;
  title: string | null;
}

/** The document's row takes over name, metadata and figures of the upload; the upload is final, its bytes are dropped. */
export async function goLive(
  db: Queryable,
  { uploadId, chunks, characters, title }: LiveVersion,
): Promise<void> {
  await db.query(
    `update sluice.documents d set live_upload_id = u.id, live_sequence = u.sequence, name = u.file_name,
       metadata = u.metadata, format = u.format, title = $4::text, chunk_count = $2::int, character_count = $3::bigint,
       updated_at = now()
     from sluice.uploads u where u.id = $1::uuid and d.id = u.document_id`,
    [uploadId, chunks, characters, title],
  );
  await db.query(
    `update sluice.uploads set state = 'ready', stage = 'done', chunks_done = $2::int, chunks_total = $2::int,
       finished_at = now(), updated_at = now() where id = $1::uuid`,
    [uploadId, chunks],
  );
  await db.query('delete from sluice.upload_parts where upload_id = $1::uuid', [uploadId]);
}

/** A later version of the document is live already: this one ends without effect. */
export async function supersede(db: Queryable, uploadId: string): Promise<void> {
  await db.query(
    `update sluice.uploads set state = 'superseded', stage = 'done', finished_at = now(), updated_at = now()
     where id = $1::uuid`,
    [uploadId],
  );
  await db.query('delete from sluice.upload_parts where upload_id = $1::uuid', [uploadId]);
  await db.query('delete from sluice.staged_chunks where upload_id = $1::uuid', [uploadId]);
}
