import type { Queryable } from '@sluice/pool';
import type { Priority, WaitingUpload } from './turns.ts';

/**
 * receiving -> queued -> processing -> ready | failed | superseded. A retry of a transient failure goes from processing
 * back to queued. What is queued or processing can become cancelled; what failed or was cancelled can be put back to
 * queued. `receiving` is not yet accepted: it becomes `queued` when the whole request has arrived, or goes away. A deleted
 * upload has no row.
 */
export type UploadState =
  | 'receiving'
  | 'queued'
  | 'processing'
  | 'ready'
  | 'failed'
  | 'superseded'
  | 'cancelled';
export type UploadStage = 'receiving' | 'waiting' | 'extracting' | 'embedding' | 'publishing' | 'done';

export interface UploadProblem {
  code: string;
  message: string;
  stage: UploadStage;
  retryable: boolean;
}

export interface NewUpload {
  id: string;
  collectionId: number;
  documentId: string;
  externalId: string;
  fileName: string;
  format: string;
  metadata: Record<string, unknown>;
  chunkMaxTokens: number;
  chunkOverlapTokens: number;
  priority: Priority;
  requestId: string | null;
}

export interface Upload extends NewUpload {
  sequence: number;
  batchId: string | null;
  collectionName: string;
  /** Of the collection, at the time of reading. */
  generation: number;
  state: UploadState;
  stage: UploadStage;
  /** Of the latest attempt; what an earlier one says is outdated. */
  fence: number;
  sizeBytes: number;
  contentHash: string | null;
  attempts: number;
  chunksDone: number;
  chunksTotal: number | null;
  error: UploadProblem | null;
  /** It brought nothing that the live version did not have. */
  unchanged: boolean;
  /** Its place among all that wait; null before it has one. */
  turn: number | null;
  /** Milliseconds by stage, of the attempt that made it ready. */
  stageMs: Partial<Record<UploadStage, number>> | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  updatedAt: Date;
}

const columns = `
  u.id, u.sequence, u.batch_id as "batchId", u.collection_id as "collectionId", c.name as "collectionName", c.generation, u.document_id as "documentId",
  u.external_id as "externalId", u.file_name as "fileName", u.format, u.metadata, u.chunk_max_tokens as "chunkMaxTokens",
  u.chunk_overlap_tokens as "chunkOverlapTokens", u.request_id as "requestId", u.state, u.stage, u.fence,
  u.size_bytes as "sizeBytes", encode(u.content_hash, 'hex') as "contentHash", u.attempts, u.chunks_done as "chunksDone",
  u.chunks_total as "chunksTotal", u.error, u.unchanged, u.stage_ms as "stageMs",
  u.priority, u.turn, u.created_at as "createdAt", u.started_at as "startedAt",
  u.finished_at as "finishedAt", u.updated_at as "updatedAt"`;
const source = 'sluice.uploads u join sluice.collections c on c.id = u.collection_id';

type UploadRow = Upload & Record<string, unknown>;

/** Registers an upload whose bytes are still arriving. */
export async function insertUpload(db: Queryable, upload: NewUpload): Promise<void> {
  await db.query(
    `insert into sluice.uploads (id, collection_id, document_id, external_id, file_name, format, metadata,
       chunk_max_tokens, chunk_overlap_tokens, priority, request_id, state, stage)
     values ($1::uuid, $2::bigint, $3::uuid, $4::text, $5::text, $6::text, $7::jsonb, $8::int, $9::int, $10::text, $11::text,
       'receiving', 'receiving')`,
    [
      upload.id,
      upload.collectionId,
      upload.documentId,
      upload.externalId,
      upload.fileName,
      upload.format,
      JSON.stringify(upload.metadata),
      upload.chunkMaxTokens,
      upload.chunkOverlapTokens,
      upload.priority,
      upload.requestId,
    ],
  );
}

/** Registers uploads in the order given, each with all its bytes as one part of at most `partBytes`. */
export async function insertWholeUploads(
  db: Queryable,
  files: readonly { upload: NewUpload; bytes: Buffer }[],
): Promise<void> {
  const column = <K extends keyof NewUpload>(name: K) => files.map(({ upload }) => upload[name]);
  await db.query(
    `with file as (
       select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
         $8::int[], $9::int[], $10::text[], $11::text[], $12::bytea[]) with ordinality as f(id, collection_id, document_id,
         external_id, file_name, format, metadata, chunk_max_tokens, chunk_overlap_tokens, priority, request_id, bytes, place)
     ), registered as (
       insert into sluice.uploads (id, collection_id, document_id, external_id, file_name, format, metadata,
         chunk_max_tokens, chunk_overlap_tokens, priority, request_id, state, stage)
       select id, collection_id, document_id, external_id, file_name, format, metadata::jsonb,
         chunk_max_tokens, chunk_overlap_tokens, priority, request_id, 'receiving', 'receiving'
       from file order by place
     )
     insert into sluice.upload_parts (upload_id, part, bytes) select id, 0, bytes from file`,
    [
      column('id'),
      column('collectionId'),
      column('documentId'),
      column('externalId'),
      column('fileName'),
      column('format'),
      column('metadata').map((metadata) => JSON.stringify(metadata)),
      column('chunkMaxTokens'),
      column('chunkOverlapTokens'),
      column('priority'),
      column('requestId'),
      files.map(({ bytes }) => bytes),
    ],
  );
}

export async function findUploads(db: Queryable, ids: readonly string[]): Promise<Upload[]> {
  const { rows } = await db.query<UploadRow>(
    `select ${columns} from ${source} where u.id = any($1::uuid[]) and u.state <> 'receiving'`,
    [ids],
    { prepare: true },
  );
  return rows;
}

export interface UploadListing {
  collectionId?: number;
  /** Names; no others. */
  collections?: readonly string[] | undefined;
  batchId?: string;
  state?: UploadState;
  /** Sequence of the last upload of the page before. */
  before?: number;
  limit: number;
}

/** Newest first. */
export async function listUploads(
  db: Queryable,
  { collectionId, collections, batchId, state, before, limit }: UploadListing,
): Promise<Upload[]> {
  const { rows } = await db.query<UploadRow>(
    `select ${columns} from ${source}
     where u.state <> 'receiving'
       and ($1::bigint is null or u.collection_id = $1::bigint)
       and ($2::text is null or u.state = $2::text)
       and ($3::bigint is null or u.sequence < $3::bigint)
       and ($5::uuid is null or u.batch_id = $5::uuid)
       and ($6::text[] is null or c.name = any($6::text[]))
     order by u.sequence desc limit $4::int`,
    [collectionId ?? null, state ?? null, before ?? null, limit, batchId ?? null, collections ?? null],
  );
  return rows;
}

export interface Claim {
  upload: Upload;
  /** Outdates every earlier holder. */
  fence: number;
  /** Attempts in a row, this one included, that may die of the upload: none of them has answered or staged anything. */
  lostAttempts: number;
  /** Code of the problem that the attempt before left. */
  lastProblem: string | null;
  /** Of its document. */
  liveUploadId: string | null;
}

/** Takes the upload for one attempt. Undefined when there is nothing to do (final, or deleted). */
export async function claimUpload(db: Queryable, id: string): Promise<Claim | undefined> {
  const { rows } = await db.query<UploadRow & Omit<Claim, 'upload'>>(
    `with before as (
       select id, error ->> 'code' as problem from sluice.uploads
       where id = $1::uuid and state in ('queued', 'processing') for update
     ), u as (
       update sluice.uploads a set state = 'processing', stage = 'extracting', fence = fence + 1, attempts = attempts + 1,
         lost_attempts = lost_attempts + 1, started_at = coalesce(started_at, now()), updated_at = now(), chunks_done = 0,
         chunks_total = null, error = null
       from before b where a.id = b.id returning a.*
     )
     select ${columns}, u.lost_attempts as "lostAttempts", (select problem from before) as "lastProblem", d.live_upload_id as "liveUploadId"
     from u join sluice.collections c on c.id = u.collection_id left join sluice.documents d on d.id = u.document_id`,
    [id],
    { prepare: true },
  );
  if (!rows[0]) return undefined;
  const { lostAttempts, lastProblem, liveUploadId, ...upload } = rows[0];
  return { upload, fence: upload.fence, lostAttempts, lastProblem, liveUploadId };
}

/** Which version of a document is live. */
export async function findLiveUploadId(db: Queryable, documentId: string): Promise<string | null> {
  const { rows } = await db.query<{ live: string | null }>(
    'select live_upload_id as live from sluice.documents where id = $1::uuid',
    [documentId],
  );
  return rows[0]?.live ?? null;
}

export interface Progress {
  stage: UploadStage;
  chunksDone: number;
  chunksTotal: number | null;
}

/** Returns false when another worker has taken over or the upload is gone: then this attempt is pointless. */
export async function recordProgress(
  db: Queryable,
  id: string,
  fence: number,
  progress: Progress,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update sluice.uploads set stage = $3::text, chunks_done = $4::int, chunks_total = $5::int, updated_at = now()
     where id = $1::uuid and fence = $2::int and state = 'processing'`,
    [id, fence, progress.stage, progress.chunksDone, progress.chunksTotal],
  );
  return rowCount === 1;
}

/**
 * Ends the attempt: final with `failed`, or back in line for another attempt with `queued`, which goes on from what is staged.
 */
export async function recordFailure(
  db: Queryable,
  id: string,
  fence: number,
  state: 'failed' | 'queued',
  problem: UploadProblem,
): Promise<void> {
  await db.query(
    `with ended as (
       update sluice.uploads set state = $3::text, stage = case when $3::text = 'failed' then 'done' else 'waiting' end,
         error = $4::jsonb, lost_attempts = 0, updated_at = now(), finished_at = case when $3::text = 'failed' then now() end
       where id = $1::uuid and fence = $2::int and state = 'processing' returning id
     )
     delete from sluice.staged_chunks where $3::text = 'failed' and upload_id in (select id from ended)`,
    [id, fence, state, JSON.stringify(problem)],
  );
}

/**
 * Puts an upload back in line that it was too early to work on. The attempt does not count, but for the first: an upload that has had
 * its turn does not hold its place before those that have not.
 *
 * @param lostAttempts how many attempts in a row have been lost before it
 */
export async function putOffUpload(
  db: Queryable,
  id: string,
  fence: number,
  problem: UploadProblem,
  lostAttempts: number,
): Promise<void> {
  await db.query(
    `update sluice.uploads set state = 'queued', stage = 'waiting', attempts = greatest(attempts - 1, 1), error = $3::jsonb,
       lost_attempts = $4::int, updated_at = now()
     where id = $1::uuid and fence = $2::int and state = 'processing'`,
    [id, fence, JSON.stringify(problem), lostAttempts],
  );
}

/** Puts an upload back in line without an error, for a worker that stops in the middle. */
export async function releaseUpload(db: Queryable, id: string, fence: number): Promise<void> {
  await db.query(
    `update sluice.uploads set state = 'queued', stage = 'waiting', attempts = attempts - 1,
       lost_attempts = 0, updated_at = now()
     where id = $1::uuid and fence = $2::int and state = 'processing'`,
    [id, fence],
  );
}

/** One that may have lost its job, and the trace of the request that brought it. */
export interface QuietUpload extends WaitingUpload {
  traceparent: string | null;
}

/**
 * Uploads that were accepted and show no sign of life for `quietMs`: they may have lost their job. Longest quiet first. It
 * counts as a sign of life, so that a later call comes to the next ones.
 */
export async function touchQuietUploads(
  db: Queryable,
  quietMs: number,
  limit: number,
): Promise<QuietUpload[]> {
  const { rows } = await db.query<QuietUpload & Record<string, unknown>>(
    `update sluice.uploads set updated_at = now() where id in (
       select id from sluice.uploads
       where state in ('queued', 'processing') and updated_at < now() - $1::double precision * interval '1 millisecond'
       order by updated_at limit $2::int for update skip locked
     ) returning id, coalesce(turn, 1) as turn, traceparent`,
    [quietMs, limit],
  );
  return rows;
}

/** Removes requests that never arrived whole (their gateway died). Returns how many. */
export async function deleteAbandonedUploads(db: Queryable, olderThanMs: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from sluice.uploads
     where state = 'receiving' and updated_at < now() - $1::double precision * interval '1 millisecond'`,
    [olderThanMs],
  );
  return rowCount;
}

/** Removes uploads that were not accepted, with their parts. */
export async function discardUploads(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query(`delete from sluice.uploads where id = any($1::uuid[]) and state = 'receiving'`, [ids]);
}

/** Uploads that were accepted and are not final; counts no further than `most`. */
export async function countUnfinished(db: Queryable, most: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*) as count
     from (select from sluice.uploads where state in ('queued', 'processing') limit $1::bigint) unfinished`,
    [most],
  );
  return rows[0]?.count ?? 0;
}

export async function countUploads(db: Queryable): Promise<Record<string, number>> {
  const { rows } = await db.query<{ state: string; count: number }>(
    'select state, count(*) as count from sluice.uploads group by state',
  );
  return Object.fromEntries(rows.map((row) => [row.state, row.count]));
}
