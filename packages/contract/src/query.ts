import { z } from 'zod';
import { collectionNameSchema } from './collection.ts';
import { FilterFault, parseFilter } from './parse-filter.ts';
import { vectorSchema } from './vector.ts';

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

const textSchema = z
  .string()
  .min(1)
  .max(8_192)
  .refine((value) => /[^\s\0]/.test(value), {
    error: 'expected at least one character that is not white space',
  });

const questionSchema = z
  .strictObject({
    query: textSchema.optional().describe('Text to look for'),
    vector: vectorSchema.optional(),
  })
  .refine((value) => (value.query === undefined) !== (value.vector === undefined), {
    error: 'expected exactly one of query and vector',
  });

/** Parts of a hit that a request can choose among; `chunk_id` and `score` are always there. */
const hitParts = [
  'distance',
  'text',
  'ordinal',
  'page',
  'heading_path',
  'char_start',
  'char_end',
  'document',
  'metadata',
  'context',
] as const;
export type HitPart = (typeof hitParts)[number];

const neighbours = z.int().min(0).max(10).default(0);
const isUnique = (list: readonly unknown[]) => new Set(list).size === list.length;

const modeSchema = z.enum(['vector', 'text', 'hybrid']);
const weight = z.number().min(0).max(100).default(1);

export const querySchema = z
  .strictObject({
    query: textSchema.optional().describe('Text to look for. One of this, `vector` and `queries`.'),
    vector: vectorSchema.optional(),
    queries: z
      .array(questionSchema)
      .min(1)
      .max(8)
      .optional()
      .describe(
        'Several texts or vectors, each searched for, and their results fused by reciprocal rank: the score of a hit is then the sum ' +
          'of 1 / (60 + its place) over them',
      ),
    k: z.int().min(1).max(maxResults).default(10).describe('How many chunks'),
    collection: collectionNameSchema.default('default'),
    collections: z
      .array(collectionNameSchema)
      .min(1)
      .max(16)
      .refine(isUnique, { error: 'expected each collection once' })
      .optional()
      .describe('In place of `collection`: several with the same model and distance, as one'),
    mode: modeSchema
      .default('vector')
      .describe(
        'vector: by meaning. text: by words; `query` is taken as web searches have it: all words, "a phrase", -without, this or ' +
          'that, begin*. hybrid: both, fused by reciprocal rank; the words of `query` need not all be there. text and hybrid need ' +
          'texts, and text search in the collection',
      ),
    hybrid: z
      .strictObject({
        vector_weight: weight,
        text_weight: weight,
      })
      .refine((weights) => weights.vector_weight + weights.text_weight > 0, {
        error: 'expected one weight above 0',
      })
      .optional()
      .describe(
        'Only for mode hybrid: the score of a hit is the sum of weight / (60 + its place) in both lists',
      ),
    filter: filterSchema.optional(),
    score_threshold: z
      .number()
      .optional()
      .describe('Only hits with that score of the mode at least; of `queries`, in the results of each'),
    max_per_document: z
      .int()
      .min(1)
      .max(maxResults)
      .optional()
      .describe(
        'Most chunks of one document. By the vector index, up to 2 000 of the nearest chunks are looked at for others',
      ),
    context: z
      .strictObject({ before: neighbours, after: neighbours })
      .optional()
      .describe('So many chunks of the document before and after each hit come with it'),
    fields: z
      .array(z.enum(hitParts))
      .refine(isUnique, { error: 'expected each part once' })
      .optional()
      .describe(
        'Which parts of a hit to give, besides chunk_id and score. Default all. Without `metadata`, `document` comes without it',
      ),
    cursor: z
      .string()
      .max(2_000)
      .optional()
      .describe(
        '`next_cursor` of an answer to the same request, for the hits after those. Pages reach 1 000 hits deep, and end when a ' +
          'collection changes',
      ),
    rerank: z
      .union([
        z.boolean(),
        z.strictObject({
          query: textSchema
            .optional()
            .describe('What hits are judged by. Default `query`; needed for `vector` and `queries`'),
          candidates: z
            .int()
            .min(1)
            .max(maxResults)
            .optional()
            .describe(
              'How many hits of the search are judged, `k` at least. Default RERANK_CANDIDATES of the server',
            ),
        }),
      ])
      .default(false)
      .describe(
        'Has the hits of the search judged by a model of the server (RERANK_URL) and gives the best `k` in its order, with a ' +
          '`rerank_score`. score_threshold and max_per_document apply before. When the model does not answer in time, they stay in ' +
          'the order of the search, and `degraded` says so. Such answers have no further pages',
      ),
    timeout_ms: z
      .int()
      .min(1)
      .max(60_000)
      .optional()
      .describe(
        'Longest time of the search, in milliseconds; then the answer is 504 `deadline_exceeded`, and what runs for it ends. ' +
          'Default and most: SEARCH_TIMEOUT_MS of the server',
      ),
    max_stale_seconds: z
      .int()
      .min(0)
      .max(604_800)
      .optional()
      .describe(
        'How old an answer may be that is given while the database does not answer, in seconds, without regard to what was written ' +
          'since; 0 forbids it, and the answer is 503 then. Default and most: CACHE_STALE_IF_ERROR_SECONDS of the server, 0 unless set',
      ),
    explain: z
      .boolean()
      .default(false)
      .describe('Says how each search was done, with the plan of the database. Goes past the cache'),
  })
  .refine(
    ({ query, vector, queries }) => [query, vector, queries].filter((one) => one !== undefined).length === 1,
    {
      error: 'expected exactly one of query, vector and queries',
    },
  )
  .refine(
    ({ rerank, query }) =>
      rerank === false || query !== undefined || (rerank !== true && rerank.query !== undefined),
    {
      path: ['rerank'],
      error: 'expected {"query": "..."}: without `query` there is no text to judge hits by',
    },
  )
  .refine(({ rerank, cursor }) => rerank === false || cursor === undefined, {
    path: ['cursor'],
    error: 'expected no cursor, as re-ranked answers have one page',
  })
  .refine(
    ({ mode, vector, queries }) =>
      mode === 'vector' || (!vector && !queries?.some((question) => question.vector !== undefined)),
    { path: ['mode'], error: 'expected mode vector, as a vector has no words' },
  )
  .refine(({ mode, hybrid }) => mode === 'hybrid' || hybrid === undefined, {
    path: ['hybrid'],
    error: 'expected only with mode hybrid',
  })
  .meta({
    id: 'Query',
    example: {
      query: 'How long is a bid valid?',
      k: 5,
      filter: { language: 'en', year: { $gte: 2020 } },
      context: { before: 1, after: 1 },
    },
  });

const neighbourSchema = z.object({ chunk_id: z.uuid(), ordinal: z.int(), text: z.string() });

const cachedSchema = z
  .enum(['none', 'memory', 'redis', 'shared', 'stale'])
  .describe(
    'none: this query ran. memory, redis: a fresh answer was found there. shared: an identical query was under way, at this gateway or another, and its answer serves both. stale: found, older than CACHE_TTL_SECONDS; it is being made anew, or, where `degraded` has `stale_answer`, cannot be.',
  );
const confirmedSchema = z
  .boolean()
  .describe(
    'true: whatever was written before the query came is in the answer. false: the database did not say in time (SEARCH_CONFIRM_MS) whether something was written since. Only an answer that was not made for this query can be false, or one that was read from a standby.',
  );
const indexSchema = z
  .enum(['hnsw', 'filter', 'exact', 'gin'])
  .describe(
    'hnsw: the vector index, unless the planner finds that so few vectors are compared sooner; filter: all vectors that the filter let through were compared; exact: all vectors were ' +
      'compared, as there is no vector index, or not yet. In mode text, gin: the index of the words, exact: those of all chunks; in ' +
      'mode hybrid of the vectors',
  );
const textIndexSchema = z
  .enum(['gin', 'exact'])
  .optional()
  .describe(
    'Only in modes text and hybrid. exact: the words of all chunks were compared, as they have no index, or not yet',
  );

export const degradationSchema = z
  .object({
    code: z
      .enum(['effort_lowered', 'stale_answer', 'rerank_skipped'])
      .describe(
        'effort_lowered: many searches waited, so that fewer vectors were looked at than usual; recall is lower. stale_answer: the ' +
          'database did not answer, and this is what it said before; what was written since is not in it. rerank_skipped: the ' +
          're-ranking did not answer in time, and the hits are in the order of the search.',
      ),
    detail: z.string().describe('Why, and how much was given up'),
  })
  .meta({ id: 'Degradation' });
const degradedSchema = z
  .array(degradationSchema)
  .describe('What was given up so that there is an answer, or one in time. Empty: nothing was');
const effortSchema = z
  .int()
  .nullable()
  .describe(
    'hnsw.ef_search: how many candidates the walk of the vector index kept; null where it was not asked. Chosen for the collection by its measured recall',
  );

const hitSchema = z
  .object({
    score: z
      .number()
      .describe(
        'Higher is better: cosine similarity, 1 / (1 + L2 distance), or the inner product; in mode text from 0 to 1, how well the ' +
          'words fit; in mode hybrid the sum of weight / (60 + place) in both lists',
      ),
    rerank_score: z
      .number()
      .optional()
      .describe(
        'By the re-ranker, on the scale of its model; absent without `rerank`, and where it was skipped',
      ),
    distance: z.number().nullable().describe('Null in mode text'),
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
    collection: collectionNameSchema.optional().describe('Where several were searched'),
    context: z
      .object({ before: z.array(neighbourSchema), after: z.array(neighbourSchema) })
      .optional()
      .describe('In the order of the document, where it was asked for'),
  })
  .meta({
    id: 'Hit',
    description: 'A request with `fields` gets chunk_id, score and those',
    override: ({ jsonSchema }) => {
      jsonSchema.required = ['score', 'chunk_id'];
    },
  });

const searchSchema = z
  .object({
    collection: collectionNameSchema,
    generation: z.int().describe('Version of the collection’s contents that was searched'),
    cached: cachedSchema,
    confirmed: confirmedSchema,
    degraded: degradedSchema,
    index: indexSchema,
    effort: effortSchema,
    text_index: textIndexSchema,
    explanation: z
      .object({
        plan: z.array(z.string()).describe('Lines of EXPLAIN, of the statement that gave the hits'),
        effort: effortSchema,
        statements: z.int().describe('How many it took until there were enough hits'),
        estimate: z
          .object({ matches: z.int(), chunks: z.int() })
          .nullable()
          .describe('How many chunks of the collection the filter was expected to let through'),
        timings: z.object({ embed_ms: z.number(), estimate_ms: z.number(), search_ms: z.number() }),
      })
      .optional()
      .describe('Only for `explain`'),
  })
  .meta({ id: 'SearchDone' });

export const answerSchema = z
  .object({
    results: z.array(hitSchema).describe('Best first'),
    next_cursor: z.string().nullable().describe('For the next page; null where there is none'),
    answer: z
      .object({
        mode: modeSchema,
        collection: collectionNameSchema,
        cached: cachedSchema,
        confirmed: confirmedSchema,
        degraded: degradedSchema,
        index: indexSchema,
        effort: effortSchema,
        text_index: textIndexSchema,
        generation: z.int().describe('Version of the collection’s contents that was searched'),
        searches: z
          .array(searchSchema)
          .optional()
          .describe(
            'For several collections or queries, and for `explain`: each search, collection by collection. The members beside it ' +
              'are those of the first then; cached is none if one of them ran, and confirmed true if all are',
          ),
        timings: z.object({
          embed_ms: z.number().describe('Embedding of the query text; 0 when it was known'),
          search_ms: z.number().describe('Database; 0 when cached'),
          rerank_ms: z.number().describe('Re-ranking; 0 without'),
          total_ms: z.number(),
        }),
      })
      .describe('How the answer came about'),
  })
  .meta({ id: 'Answer' });

export type QueryBody = z.output<typeof querySchema>;
export type HitBody = z.output<typeof hitSchema>;
export type AnswerBody = z.output<typeof answerSchema>;
