import { z } from 'zod';
import { uploadListQuerySchema } from './upload.ts';

const count = (description?: string) => (description ? z.int().min(0).describe(description) : z.int().min(0));

export const batchSchema = z
  .object({
    id: z.uuid(),
    status_url: z.string(),
    events_url: z.string(),
    uploads_url: z.string(),
    status: z
      .enum(['empty', 'in_progress', 'completed', 'cancelled'])
      .describe(
        'in_progress while an upload is queued or processing; completed or cancelled when all have ended, whether well or not: ' +
          '`counts` says how. One that is completed takes further uploads, and is in progress again then.',
      ),
    counts: z.object({
      queued: count(),
      processing: count(),
      ready: count(),
      failed: count(),
      superseded: count(),
      cancelled: count(),
      total: count('Uploads that are in the batch now; one that is deleted leaves it'),
    }),
    created_at: z.iso.datetime(),
    cancelled_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Batch', description: 'Up to 2 000 uploads that are followed and cancelled as one' });

/** Nothing can be said yet; a member that is not known is refused rather than ignored. */
export const newBatchSchema = z.strictObject({}).meta({ id: 'NewBatch' });

export const batchUploadsQuerySchema = uploadListQuerySchema.omit({ collection: true });

export type BatchBody = z.output<typeof batchSchema>;
