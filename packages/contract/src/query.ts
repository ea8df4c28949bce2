import { z } from 'zod';
import { collectionNameSchema } from './collection.ts';
import { metadataSchema } from './metadata.ts';

export const maxResults = 200;

export const querySchema = z
  .strictObject({
    query: z.string().min(1).max(8_192).optional().describe('Text to look for. Either this or `vector`.'),
    vector: z
      .array(z.number())
      .min(1)
      .max(4_000)
      .optional()
      .describe('A vector of the collection’s model and dimensions. Either this or `query`.'),
    k: z.int().min(1).max(maxResults).default(10).describe('How many chunks'),
    collection: collectionNameSchema.default('default'),
    mode: z.enum(['vector']).default('vector'),
    filter: metadataSchema
      .optional()
      .describe(
        'Only chunks of documents whose metadata contains this object, nested objects and array members included',
      ),
  })
  .refine((value) => (value.query === undefined) !== (value.vector === undefined), {
    error: 'expected exactly one of query and vector',
  })
  .refine((value) => value.query === undefined || /[^\s\0]/.test(value.query), {
    path: ['query'],
    error: 'expected at least one character that is not white space',
  })
  .meta({ id: 'Query', example: { query: 'How long is a bid valid?', k: 5, filter: { language: 'en' } } });

const hitSchema = z
  .object({
    score: z
      .number()
      .describe('Higher is better: cosine similarity, 1 / (1 + L2 distance), or the inner product'),
    distance: z.number(),
    chunk_id: z.uuid(),
    text: z.string(),
    ordinal: z.int().describe('Place of the chunk in its document, from 0'),
    page: z.int().nullable().describe('Page (or slide) on which the chunk starts, from 1'),
    heading_path: z.array(z.string()).describe('Headings above the chunk, outermost first'),
    char_start: z.int().describe('Where the chunk starts in the document’s text, in UTF-16 units'),
    char_end: z.int(),
    document: z.object({
      id: z.uuid(),
      external_id: z.string(),
      name: z.string(),
      title: z.string().nullable(),
      metadata: z.record(z.string(), z.unknown()),
    }),
  })
  .meta({ id: 'Hit' });

export const answerSchema = z
  .object({
    results: z.array(hitSchema).describe('Best first'),
    answer: z
      .object({
        mode: z.enum(['vector']),
        collection: collectionNameSchema,
        cached: z
          .enum(['none', 'memory', 'redis', 'shared', 'stale'])
          .describe(
            'none: this query ran. memory, redis: a fresh answer was found there. shared: an identical query was under way, at this gateway or another, and its answer serves both. stale: found, older than CACHE_TTL_SECONDS; it is being made anew.',
          ),
        confirmed: z
          .boolean()
          .describe(
            'true: whatever was written before the query came is in the answer. false: the database did not say in time (SEARCH_CONFIRM_MS) whether something was written since. Only an answer that was not made for this query can be false, or one that was read from a standby.',
          ),
        index: z
          .enum(['hnsw', 'exact'])
          .describe('exact: all vectors were compared, as there is no index, or not yet'),
        generation: z.int().describe('Version of the collection’s contents that was searched'),
        timings: z.object({
          embed_ms: z.number().describe('Embedding of the query text; 0 when it was known'),
          search_ms: z.number().describe('Database; 0 when cached'),
          total_ms: z.number(),
        }),
      })
      .describe('How the answer came about'),
  })
  .meta({ id: 'Answer' });

export type QueryBody = z.output<typeof querySchema>;
export type HitBody = z.output<typeof hitSchema>;
export type AnswerBody = z.output<typeof answerSchema>;
