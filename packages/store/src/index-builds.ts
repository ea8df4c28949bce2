import type { Queryable } from '@sluice/pool';

/** How the last build of a collection's vector index went. */
export interface IndexBuildRecord {
  /** ISO 8601. */
  at: string;
  duration_ms: number;
  chunks: number;
  /** `maintenance_work_mem` of it. */
  memory_mb: number;
  /** Helpers that were asked for; 0 where the server had no shared memory for them. */
  helpers: number;
  /** Helpers had been asked for, and the server had not the shared memory for them. */
  shared_memory_short: boolean;
  /** Of the server; null when it succeeded. */
  error: string | null;
}

export async function recordIndexBuild(
  db: Queryable,
  collectionId: number,
  record: IndexBuildRecord,
): Promise<void> {
  await db.query('update sluice.collections set last_index_build = $2::jsonb where id = $1::bigint', [
    collectionId,
    JSON.stringify(record),
  ]);
}
