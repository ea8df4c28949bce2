import type { Queryable } from '@sluice/pool';
import type { Progress, UploadState } from './uploads.ts';

/** How far an upload has got, without what never changes. */
export interface AttemptRow extends Progress {
  uploadId: string;
  /** Of the latest attempt. */
  fence: number;
  state: UploadState;
}

/** Those of these uploads that exist. Reads the primary key and one row of each, so that it can be asked often. */
export async function readAttempts(db: Queryable, uploadIds: readonly string[]): Promise<AttemptRow[]> {
  const { rows } = await db.query<AttemptRow & Record<string, unknown>>(
    `select id as "uploadId", fence, state, stage, chunks_done as "chunksDone", chunks_total as "chunksTotal"
     from sluice.uploads where id = any($1::uuid[])`,
    [uploadIds],
    { prepare: true },
  );
  return rows;
}
