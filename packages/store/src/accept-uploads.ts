import type { Queryable } from '@sluice/pool';
import { holdCollections } from './collections.ts';

export interface ReceivedUpload {
  id: string;
  sizeBytes: number;
  /** SHA-256 of the bytes. */
  contentHash: Buffer;
}

/** What the uploads of one request have in common. */
export interface AcceptedWith {
  batchId?: string | undefined;
  webhookUrl?: string | undefined;
  /** Of the request, by W3C Trace Context. */
  traceparent?: string | undefined;
}

/**
 * Accepts uploads whose bytes are complete, however many in one statement: from then on they are durable and will be worked
 * on. The document of each is the one that has its external id already, if any. Run it in a transaction with all uploads of a
 * request. Documents are locked in the order of their external ids, so that two requests for the same ones do not deadlock. Returns how
 * many it has accepted: fewer when a collection was deleted meanwhile, and its uploads with it.
 */
export async function acceptUploads(
  db: Queryable,
  received: readonly ReceivedUpload[],
  { batchId, webhookUrl, traceparent }: AcceptedWith = {},
): Promise<number> {
  const ids = received.map(({ id }) => id);
  await holdCollections(db, ids);
  const { rowCount } = await db.query(
    `with received as (
       select * from unnest($1::uuid[], $2::bigint[], $3::bytea[]) as r(id, size_bytes, content_hash)
     ), document as (
       insert into sluice.documents (id, collection_id, external_id, name, metadata)
       select distinct on (collection_id, external_id) document_id, collection_id, external_id, file_name, metadata
       from sluice.uploads join received using (id) order by collection_id, external_id, sequence
       on conflict (collection_id, external_id) do update set updated_at = now()
       returning id, collection_id, external_id
     )
     update sluice.uploads u set state = 'queued', stage = 'waiting', size_bytes = r.size_bytes,
       content_hash = r.content_hash, document_id = d.id, batch_id = $4::uuid,
       webhook_url = $5::text, traceparent = $6::text, created_at = now(), updated_at = now()
     from received r, document d
     where u.id = r.id and d.collection_id = u.collection_id and d.external_id = u.external_id`,
    [
      ids,
      received.map(({ sizeBytes }) => sizeBytes),
      received.map(({ contentHash }) => contentHash),
      batchId ?? null,
      webhookUrl ?? null,
      traceparent ?? null,
    ],
  );
  return rowCount;
}

/**
 * Ends accepted uploads at once that bring nothing new: the live version has the same bytes, settings, name and metadata, and
 * no other upload is about to replace it. Such an upload is the live version then. Of several for one document those end that
 * come before the first with something new. Run it in the transaction that has accepted them, which holds the documents.
 */
export async function settleUnchanged(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query(
    `with accepted as (
       select u.id, u.sequence, u.document_id, d.chunk_count,
         bool_and(coalesce(u.sequence > d.live_sequence and d.metadata = u.metadata and d.name = u.file_name
           and live.content_hash = u.content_hash and live.format = u.format
           and live.chunk_max_tokens = u.chunk_max_tokens and live.chunk_overlap_tokens = u.chunk_overlap_tokens, false)
         ) over (partition by u.document_id order by u.sequence) as same
       from sluice.uploads u
       join sluice.documents d on d.id = u.document_id
       join sluice.uploads live on live.id = d.live_upload_id
       where u.id = any($1::uuid[])
     ), same as (
       select * from accepted where same and not exists (
         select from sluice.uploads other
         where other.document_id = accepted.document_id and other.state in ('queued', 'processing')
           and other.id <> all($1::uuid[]))
     ), settled as (
       update sluice.uploads u set state = 'ready', stage = 'done', unchanged = true, chunks_done = same.chunk_count,
         chunks_total = same.chunk_count, started_at = now(), finished_at = now(), updated_at = now()
       from same where u.id = same.id returning u.id
     ), live as (
       update sluice.documents d set live_upload_id = latest.id, live_sequence = latest.sequence
       from (select distinct on (document_id) * from same order by document_id, sequence desc) latest
       where d.id = latest.document_id
     )
     delete from sluice.upload_parts where upload_id in (select id from settled)`,
    [ids],
  );
}
