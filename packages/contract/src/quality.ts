import { z } from 'zod';
import { collectionNameSchema } from './collection.ts';

const recallMembers = {
  recall: z.number().describe('Share of the ten nearest chunks that was found'),
  low: z.number().describe('Low end of its 95 % confidence interval'),
  high: z.number(),
};

export const qualitySchema = z
  .object({
    collection: collectionNameSchema,
    index: z
      .enum(['hnsw', 'none'])
      .describe('none: there is no vector index, or not yet, and search is exact'),
    state: z
      .enum(['exact', 'unmeasured', 'current', 'outdated'])
      .describe(
        'exact: without a vector index recall is 1; unmeasured: no measurement has succeeded yet; current: nothing was written since the measurement; ' +
          'outdated: something was',
      ),
    effort: z.int().nullable().describe('hnsw.ef_search of searches; null where they are exact'),
    target: z.number().nullable().describe('Recall that the effort was chosen to hold'),
    recall_at_10: z
      .object(recallMembers)
      .nullable()
      .describe('At that effort, without a filter; null where it was not measured'),
    sample_size: z.int().describe('Queries that were compared with exact search'),
    measured_at: z.iso.datetime().nullable(),
    chunks: z.int().nullable().describe('Of the collection, when it was measured'),
    curve: z
      .array(z.object({ effort: z.int(), ...recallMembers }))
      .describe('Recall at each effort that was tried, the least first'),
  })
  .meta({ id: 'Quality' });

export const measurementSchema = z
  .strictObject({
    sample: z.int().min(1).max(500).default(100).describe('Queries at most; fewer when the time is over'),
  })
  .meta({ id: 'MeasurementRequest' });

export type QualityBody = z.output<typeof qualitySchema>;
