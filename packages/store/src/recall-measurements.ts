import type { Queryable } from '@sluice/pool';
import { changesChannel } from './collections.ts';

/** Of the ten nearest, the share that was found, with the bounds of its 95 % confidence interval. */
export interface Recall {
  recall: number;
  low: number;
  high: number;
}

export interface RecallAtEffort extends Recall {
  /** `hnsw.ef_search` */
  effort: number;
}

export interface RecallMeasurement extends RecallAtEffort {
  /** What the effort was chosen to hold. */
  target: number;
  /** Queries. */
  sampleSize: number;
  /** By effort, the least first. */
  curve: RecallAtEffort[];
  /** Of the collection, when it was measured. */
  chunks: number;
  generation: number;
}

export interface StoredMeasurement extends RecallMeasurement {
  measuredAt: Date;
}

/** Keeps the newest measurement of a collection, and lets searches know of its effort. False when the collection is gone. */
export async function recordMeasurement(
  db: Queryable,
  collectionId: number,
  { effort, target, recall, low, high, sampleSize, curve, chunks, generation }: RecallMeasurement,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `with measured as (
       insert into sluice.recall_measurements
         (collection_id, effort, target, recall, recall_low, recall_high, sample_size, curve, chunks, generation)
       select id, $2::int, $3::float8, $4::float8, $5::float8, $6::float8, $7::int, $8::jsonb, $9::bigint, $10::bigint
       from sluice.collections where id = $1::bigint for key share
       on conflict (collection_id) do update set effort = excluded.effort, target = excluded.target,
         recall = excluded.recall, recall_low = excluded.recall_low, recall_high = excluded.recall_high,
         sample_size = excluded.sample_size, curve = excluded.curve, chunks = excluded.chunks,
         generation = excluded.generation, measured_at = now()
       returning collection_id
     )
     select pg_notify($11::text, collection_id::text) from measured`,
    [
      collectionId,
      effort,
      target,
      recall,
      low,
      high,
      sampleSize,
      JSON.stringify(curve),
      chunks,
      generation,
      changesChannel,
    ],
  );
  return rowCount === 1;
}

export async function findMeasurement(
  db: Queryable,
  collectionId: number,
): Promise<StoredMeasurement | undefined> {
  const { rows } = await db.query<StoredMeasurement & Record<string, unknown>>(
    `select effort, target, recall, recall_low as low, recall_high as high, sample_size as "sampleSize", curve, chunks,
       generation, measured_at as "measuredAt"
     from sluice.recall_measurements where collection_id = $1::bigint`,
    [collectionId],
  );
  return rows[0];
}

export interface Staleness {
  /** A measurement of other contents is made anew when it is older, in ms, */
  olderThanMs: number;
  /** or when the number of chunks has changed by this share of what it was. */
  changedBy: number;
}

/** Ids of collections with a vector index that were never measured, or have changed enough since. */
export async function listUnmeasured(
  db: Queryable,
  { olderThanMs, changedBy }: Staleness,
): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(
    `select c.id from sluice.collections c
     left join sluice.recall_measurements m on m.collection_id = c.id
     cross join lateral (
       select coalesce(sum(chunk_count), 0)::bigint as chunks from sluice.documents d
       where d.collection_id = c.id and d.live_upload_id is not null
     ) now
     where c.vector_index = 'hnsw' and m.generation is distinct from c.generation and now.chunks > 0
       and (m.collection_id is null
         or m.measured_at < now() - $1::float8 * interval '1 millisecond'
         or abs(now.chunks - m.chunks) >= $2::float8 * m.chunks)
     order by m.measured_at nulls first, c.id`,
    [olderThanMs, changedBy],
  );
  return rows.map(({ id }) => id);
}
