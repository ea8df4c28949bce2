import type { Queryable, Transaction } from '@sluice/pool';
import type { UploadStage } from './uploads.ts';

export interface PublishLock {
  documentId: string;
  sequence: number;
  /** Of the document at the moment of publishing. */
  liveUploadId: string | null;
  liveSequence: number;
}

/**
 * First statements of the publishing transaction: locks uploads and their documents, each in the order of their ids, so that
 * publishers cannot deadlock, and before them the collection (see `holdCollections`; once, in front of the first row). By upload id; what is missing has another holder now or is gone, and must not be published.
 */
export async function lockForPublish(
  transaction: Transaction,
  collectionId: number,
  claims: readonly { uploadId: string; fence: number }[],
): Promise<Map<string, PublishLock>> {
  const uploads = await transaction.query<{ id: string; sequence: number; documentId: string }>(
    `with held as (select id from sluice.collections where id = $3::bigint for key share)
     select u.id, u.sequence, u.document_id as "documentId" from sluice.uploads u
     join unnest($1::uuid[], $2::int[]) as claim (id, fence) on claim.id = u.id and claim.fence = u.fence
     where u.state = 'processing' and exists (select from held) order by u.id for update of u`,
    [claims.map(({ uploadId }) => uploadId), claims.map(({ fence }) => fence), collectionId],
  );
  const { rows } = await transaction.query<{ id: string; liveUploadId: string | null; liveSequence: number }>(
    `select id, live_upload_id as "liveUploadId", live_sequence as "liveSequence" from sluice.documents
     where id = any($1::uuid[]) order by id for update`,
    [uploads.rows.map(({ documentId }) => documentId)],
  );
  const documents = new Map(rows.map((row) => [row.id, row]));
  const locks = new Map<string, PublishLock>();
  for (const { id, sequence, documentId } of uploads.rows) {
    const document = documents.get(documentId);
    if (!document) continue;
    const { liveUploadId, liveSequence } = document;
    locks.set(id, { documentId, sequence, liveUploadId, liveSequence });
  }
  return locks;
}

export interface LiveVersion {
  uploadId: string;
  chunks: number;
  characters: number;
  title: string | null;
}

/** The documents take over name, metadata and figures of their uploads; these are final, their bytes are dropped. */
export async function goLive(transaction: Queryable, versions: readonly LiveVersion[]): Promise<void> {
  const rows = versions.map(({ uploadId, chunks, characters, title }) => {
    return { upload_id: uploadId, chunks, characters, title };
  });
  await transaction.query(
    `with live as (
       select * from json_to_recordset($1::json)
         as l (upload_id uuid, chunks int, characters bigint, title text)
     ), document as (
       update sluice.documents d set live_upload_id = u.id, live_sequence = u.sequence, name = u.file_name,
         metadata = u.metadata, format = u.format, title = live.title, chunk_count = live.chunks,
         character_count = live.characters, updated_at = now()
       from live join sluice.uploads u on u.id = live.upload_id where d.id = u.document_id
     ), part as (
       delete from sluice.upload_parts where upload_id in (select upload_id from live)
     )
     update sluice.uploads u set state = 'ready', stage = 'done', chunks_done = live.chunks, chunks_total = live.chunks,
       finished_at = now(), updated_at = now()
     from live where u.id = live.upload_id`,
    [JSON.stringify(rows)],
  );
}

export interface StageTimes {
  uploadId: string;
  /** Milliseconds. */
  stageMs: Partial<Record<UploadStage, number>>;
}

/** Last in the publishing transaction, since its own time is part of it. */
export async function recordStages(transaction: Queryable, times: readonly StageTimes[]): Promise<void> {
  const rows = times.map(({ uploadId, stageMs }) => ({ upload_id: uploadId, stage_ms: stageMs }));
  await transaction.query(
    `update sluice.uploads u set stage_ms = t.stage_ms
     from json_to_recordset($1::json) as t (upload_id uuid, stage_ms jsonb) where u.id = t.upload_id`,
    [JSON.stringify(rows)],
  );
}

/** A later version of their document is live already: these end without effect. */
export async function supersede(transaction: Queryable, uploadIds: readonly string[]): Promise<void> {
  await transaction.query(
    `with part as (
       delete from sluice.upload_parts where upload_id = any($1::uuid[])
     ), staged as (
       delete from sluice.staged_chunks where upload_id = any($1::uuid[])
     )
     update sluice.uploads set state = 'superseded', stage = 'done', finished_at = now(), updated_at = now()
     where id = any($1::uuid[])`,
    [uploadIds],
  );
}
