import { z } from 'zod';
import type { JobDefinition } from '../job-definition.ts';

/**
 * Makes one upload searchable. The job id is the upload id, so enqueuing twice is harmless.
 *
 * Six attempts wait about 2, 4, 8, 16 and 32 s between them: long enough for a restart of Postgres, short enough that a user sees
 * the final failure within two minutes. An outage of the embeddings provider takes none of them for a day: who brings down the
 * provider by himself looks the same, and has to end some time.
 */
export const ingestUploadJob: JobDefinition<{ uploadId: string }> = {
  name: 'ingest-upload',
  payload: z.strictObject({ uploadId: z.string().min(1).max(128) }),
  retry: { attempts: 6, backoffMs: 2_000, jitter: 0.5, putOffForMs: 24 * 3_600_000 },
  keepCompleted: { count: 200, ageSeconds: 24 * 3600 },
  keepFailed: { count: 1_000, ageSeconds: 14 * 24 * 3600 },
};
