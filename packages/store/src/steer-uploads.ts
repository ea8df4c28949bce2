import type { Queryable } from '@sluice/pool';
import type { UploadState } from './uploads.ts';

/**
 * Ends an upload that is not final, also while it is being worked on: its fence goes up, so whoever works on it can publish
 * nothing any more. Its bytes stay, so that it can be retried. Returns the state it has then: `cancelled`, or the final one
 * that it had before; undefined when there is none.
 */
export async function cancelUpload(db: Queryable, id: string): Promise<UploadState | undefined> {
  const { rowCount } = await db.query(
    `with cancelled as (
       update sluice.uploads set state = 'cancelled', stage = 'done', fence = fence + 1, error = null,
         finished_at = now(), updated_at = now()
       where id = $1::uuid and state in ('queued', 'processing') returning id
     ), swept as (
       delete from sluice.staged_chunks where upload_id in (select id from cancelled)
     )
     select id from cancelled`,
    [id],
  );
  if (rowCount === 1) return 'cancelled';
  const { rows } = await db.query<{ state: UploadState }>(
    `select state from sluice.uploads where id = $1::uuid and state <> 'receiving'`,
    [id],
  );
  return rows[0]?.state;
}

/**
 * Back in line as on the first day, and in its old place among the versions of its document: a later one still wins. The fence goes
 * up, so that this comes after the end before it.
 */
const asNew = `state = 'queued', stage = 'waiting', fence = fence + 1, error = null, attempts = 0, lost_attempts = 0,
  chunks_done = 0, chunks_total = null, turn = null,
  started_at = null, finished_at = null, updated_at = now()`;

/** Puts an upload that failed or was cancelled back in line. False when it is in another state, or there is none. */
export async function retryUpload(db: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update sluice.uploads set ${asNew} where id = $1::uuid and state in ('failed', 'cancelled')`,
    [id],
  );
  return rowCount === 1;
}

/** Which of the failed uploads; what is left out does not matter. */
export interface FailedUploads {
  collectionId?: number | undefined;
  /** Names; no others. */
  collections?: readonly string[] | undefined;
  /** Code of the error. */
  code?: string | undefined;
  /** Whether the cause is one that may pass. */
  retryable?: boolean | undefined;
}

const failed = `state = 'failed' and ($1::bigint is null or collection_id = $1::bigint)
  and ($2::text is null or error ->> 'code' = $2::text)
  and ($3::boolean is null or (error ->> 'retryable')::boolean = $3::boolean)
  and ($4::text[] is null or collection_id in (select id from sluice.collections where name = any($4::text[])))`;

function parametersOf({ collectionId, collections, code, retryable }: FailedUploads): unknown[] {
  return [collectionId ?? null, code ?? null, retryable ?? null, collections ?? null];
}

/** Puts up to `limit` failed uploads back in line, those that were accepted first. Returns their ids. */
export async function redriveUploads(db: Queryable, which: FailedUploads, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `update sluice.uploads set ${asNew} where id in (
       select id from sluice.uploads where ${failed} order by sequence limit $5::int for update skip locked
     ) returning id`,
    [...parametersOf(which), limit],
  );
  return rows.map((row) => row.id);
}

export async function countFailedUploads(db: Queryable, which: FailedUploads): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*) as count from sluice.uploads where ${failed}`,
    parametersOf(which),
  );
  return rows[0]?.count ?? 0;
}
