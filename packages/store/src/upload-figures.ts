import type { Queryable } from '@sluice/pool';

/** Uploads of all collections, counted where that is cheap: by indexes of those that are not ready. */
export interface UploadFigures {
  /** Those that wait for a worker, between attempts included. */
  queued: number;
  processing: number;
  failed: number;
  /** How long the oldest one has waited that no attempt was made of, in seconds; 0 when none waits. */
  oldestAgeSeconds: number;
  /** Grows by one with each upload that was ever begun; for rates. */
  lastSequence: number;
}

export async function readUploadFigures(db: Queryable): Promise<UploadFigures> {
  const { rows } = await db.query<UploadFigures & Record<string, unknown>>(
    `select
       count(*) filter (where state = 'queued') as queued,
       count(*) filter (where state = 'processing') as processing,
       (select count(*) from sluice.uploads where state = 'failed') as failed,
       coalesce(extract(epoch from now() - min(created_at) filter (where state = 'queued' and attempts = 0)), 0)::float8
         as "oldestAgeSeconds",
       coalesce(pg_sequence_last_value(pg_get_serial_sequence('sluice.uploads', 'sequence')), 0)::bigint as "lastSequence"
     from sluice.uploads where state in ('receiving', 'queued', 'processing')`,
  );
  return rows[0] as UploadFigures;
}

export interface FailureCount {
  code: string;
  retryable: boolean;
  uploads: number;
}

/** The most frequent ones first. Each upload that failed is read: for who asks what the matter is. */
export async function countFailures(db: Queryable, limit: number): Promise<FailureCount[]> {
  const { rows } = await db.query<FailureCount & Record<string, unknown>>(
    `select coalesce(error ->> 'code', 'internal') as code, coalesce((error ->> 'retryable')::boolean, false) as retryable,
       count(*) as uploads
     from sluice.uploads where state = 'failed' group by 1, 2 order by 3 desc, 1 limit $1::int`,
    [limit],
  );
  return rows;
}
