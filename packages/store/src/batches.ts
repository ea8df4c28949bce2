import type { Queryable } from '@sluice/pool';
import type { UploadState } from './uploads.ts';

export type BatchCounts = Record<Exclude<UploadState, 'receiving'>, number> & { total: number };

export interface Batch {
  id: string;
  cancelledAt: Date | null;
  createdAt: Date;
  counts: BatchCounts;
}

/** `keyId`: of the API key that makes it. */
export async function insertBatch(db: Queryable, id: string, keyId?: string): Promise<void> {
  await db.query('insert into sluice.batches (id, key_id) values ($1::uuid, $2::text)', [id, keyId ?? null]);
}

/** Whether all uploads of a batch are in collections of these names. One without uploads is only for the key that made it. */
export async function batchIsWithin(
  db: Queryable,
  id: string,
  { collections, keyId }: { collections: readonly string[]; keyId: string | undefined },
): Promise<boolean> {
  const { rows } = await db.query<{ within: boolean }>(
    `select coalesce(bool_and(c.name = any($2::text[])), b.key_id = $3::text, false) as within
     from sluice.batches b left join sluice.uploads u on u.batch_id = b.id left join sluice.collections c on c.id = u.collection_id
     where b.id = $1::uuid group by b.id`,
    [id, collections, keyId ?? null],
  );
  return rows[0]?.within === true;
}

/** Batches with how many of their uploads are in which state; the index of a batch's uploads answers alone. */
export async function findBatches(db: Queryable, ids: readonly string[]): Promise<Batch[]> {
  const { rows } = await db.query<Omit<Batch, 'counts'> & BatchCounts & Record<string, unknown>>(
    `select b.id, b.cancelled_at as "cancelledAt", b.created_at as "createdAt", counts.*
     from sluice.batches b cross join lateral (
       select count(*) filter (where state = 'queued') as queued,
         count(*) filter (where state = 'processing') as processing,
         count(*) filter (where state = 'ready') as ready,
         count(*) filter (where state = 'failed') as failed,
         count(*) filter (where state = 'superseded') as superseded,
         count(*) filter (where state = 'cancelled') as cancelled,
         count(*) as total
       from sluice.uploads where batch_id = b.id
     ) counts where b.id = any($1::uuid[])`,
    [ids],
  );
  return rows.map(({ id, cancelledAt, createdAt, ...counts }) => ({ id, cancelledAt, createdAt, counts }));
}

/**
 * Holds the batch until the transaction ends, so that two requests cannot fill it beyond its limit. Undefined when there is
 * none. `updated_at` moves, so that who removes empty ones leaves it.
 */
export async function joinBatch(
  db: Queryable,
  id: string,
): Promise<{ cancelled: boolean; uploads: number } | undefined> {
  const { rows } = await db.query<{ cancelled: boolean }>(
    `update sluice.batches set updated_at = now() where id = $1::uuid
     returning cancelled_at is not null as cancelled`,
    [id],
  );
  if (!rows[0]) return undefined;
  // A statement of its own: it sees what those have committed for whom the first one waited.
  const counted = await db.query<{ uploads: number }>(
    'select count(*) as uploads from sluice.uploads where batch_id = $1::uuid',
    [id],
  );
  return { cancelled: rows[0].cancelled, uploads: counted.rows[0]?.uploads ?? 0 };
}

/**
 * Ends all uploads of a batch that are not final, as `cancelUpload` does with one, and closes it for others. Returns how many
 * it has ended, undefined when there is no batch. Locks uploads in the order of their ids, as deleting a document does. Run it in
 * a transaction.
 */
export async function cancelBatch(db: Queryable, id: string): Promise<number | undefined> {
  const { rowCount } = await db.query(
    'update sluice.batches set cancelled_at = coalesce(cancelled_at, now()) where id = $1::uuid',
    [id],
  );
  if (rowCount === 0) return undefined;
  const { rows } = await db.query<{ cancelled: number }>(
    `with unfinished as (
       select id from sluice.uploads where batch_id = $1::uuid and state in ('queued', 'processing') order by id for update
     ), cancelled as (
       update sluice.uploads set state = 'cancelled', stage = 'done', fence = fence + 1, error = null,
         finished_at = now(), updated_at = now()
       where id in (select id from unfinished) returning id
     ), swept as (
       delete from sluice.staged_chunks where upload_id in (select id from cancelled)
     )
     select count(*) as cancelled from cancelled`,
    [id],
  );
  return rows[0]?.cancelled ?? 0;
}

/** Forgets batches that have no upload, or none any more, and had no news for so long. Returns how many. */
export async function deleteEmptyBatches(db: Queryable, olderThanMs: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from sluice.batches b
     where updated_at < now() - $1::double precision * interval '1 millisecond'
       and not exists (select from sluice.uploads where batch_id = b.id)`,
    [olderThanMs],
  );
  return rowCount;
}
