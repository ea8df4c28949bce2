import { z } from 'zod';

const count = z.int().nonnegative();
const deletedRows = {
  documents: count,
  uploads: count,
  chunks: count.describe('Searchable chunks'),
  staged_chunks: count.describe('Chunks of versions that were being worked on'),
  parts: count.describe('Pieces of uploaded files, up to 1 MiB each'),
};

const remainingSchema = z.object({
  ...deletedRows,
  jobs: count
    .nullable()
    .describe('Jobs of these uploads that have not ended; null when the queue did not tell'),
  cache_entries: count
    .nullable()
    .describe(
      'Cached answers from before the deletion that this replica could still give; null when it cannot tell',
    ),
});

/** Proof of a deletion: what went, and what was found of it when it was looked for. */
export const receiptSchema = z
  .object({
    id: z.uuid(),
    receipt_url: z.string().describe('Counts again; kept for 90 days'),
    kind: z.enum(['upload', 'document', 'collection']),
    target: z.string().describe('Id of the upload or document, name of the collection'),
    deleted_at: z.iso.datetime(),
    deleted: z.object(deletedRows),
    remaining: remainingSchema,
    measured_at: z.iso.datetime().describe('When what remains was counted, after the deletion was committed'),
    complete: z.boolean().describe('Nothing remains'),
    reasons: z
      .array(z.object({ of: remainingSchema.keyof(), reason: z.string() }))
      .describe('Why something remains, or could not be counted'),
  })
  .meta({ id: 'Receipt' });

export type ReceiptBody = z.output<typeof receiptSchema>;
