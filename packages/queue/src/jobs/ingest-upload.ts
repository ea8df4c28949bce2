import { z } from 'zod';
import type { JobDefinition } from '../job-definition.ts';

/**
 * Makes one upload searchable. The job id is the upload id, so enqueuing twice is harmless.
 *
 * Six attempts wait about 2, 4, 8, 16 and 32 s between them: long enough for a restart of Postgres or a rate
 * limit of the embeddings provider, short enough that a user sees the final failure within two minutes.
 */
export const ingestUploadJob: JobDefinition<{ uploadId: string }> = {
  name: 'ingest-upload',
  payload: z.strictObject({ uploadId: z.string().min(1).max(128) }),
  retry: { attempts: 6, backoffMs: 2_000, jitter: 0.5 },
  keepCompleted: { count: 200, ageSeconds: 24 * 3600 },
  keepFailed: { count: 1_000, ageSeconds: 14 * 24 * 3600 },
};
