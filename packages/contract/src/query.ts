import { z } from 'zod';
import { collectionNameSchema } from './collection.ts';
import { FilterFault, parseFilter } from './parse-filter.ts';

export const maxResults = 200;

const filterDescription = `Only chunks of documents whose metadata fits. An object without operators is contained in the
metadata: \`{"language": "vi", "tags": ["law"]}\` asks for that language and for an array \`tags\` with \`law\` in it. Below a key,
operators compare its value: \`{"year": {"$gte": 2020, "$lt": 2025}}\`; deeper keys are written as objects:
\`{"court": {"level": {"$in": [1, 2]}}}\`. All members of an object have to hold.

- \`$eq\`, \`$ne\`: any JSON value, as a whole. \`$in\`, \`$nin\`: one of up to 256.
- \`$gt\`, \`$gte\`, \`$lt\`, \`$lte\`: a number, a string (by code points), or \`{"$date": "2025-01-31T08:30:00Z"}\`, which compares
  strings of ISO 8601 as instants (a date alone is its midnight in UTC).
- \`$exists\`: true or false; a JSON null exists.
- \`$and\`, \`$or\`: arrays of filters, \`$not\`: a filter.

A value of another JSON type than the operand compares as false, and so does a missing key; \`$ne\`, \`$nin\` and \`$not\` are exact
opposites, so they hold where the key is missing. Keys do not lead into arrays. A key that begins with \`$\` is written with one
more. At most 64 comparisons, 16 levels, 64 KiB.`;

const filterSchema = z
  .unknown()
  .transform((value, context) => {
    try {
      return parseFilter(value);
    } catch (error) {
      if (!(error instanceof FilterFault)) throw error;
      context.addIssue({ code: 'custom', path: [...error.path], message: error.message });
      return z.NEVER;
    }
  })
  .meta({
    description: filterDescription,
    override: { type: 'object', additionalProperties: true },
    example: { language: 'en', year: { $gte: 2020 } },
  });

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
    filter: filterSchema.optional(),
  })
  .refine((value) => (value.query === undefined) !== (value.vector === undefined), {
    error: 'expected exactly one of query and vector',
  })
  .refine((value) => value.query === undefined || /[^\s\0]/.test(value.query), {
    path: ['query'],
    error: 'expected at least one character that is not white space',
  })
  .meta({
    id: 'Query',
    example: { query: 'How long is a bid valid?', k: 5, filter: { language: 'en', year: { $gte: 2020 } } },
  });

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
        cached: z.enum(['none', 'result']).describe('result: the whole answer came from the cache'),
        index: z
          .enum(['hnsw', 'filter', 'exact'])
          .describe(
            'hnsw: the vector index; filter: all vectors that the filter let through were compared; exact: all vectors were ' +
              'compared, as there is no vector index, or not yet',
          ),
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
