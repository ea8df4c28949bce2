import { z } from 'zod';

export const collectionNameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,62}$/,
    'expected 1 to 63 characters of a-z, 0-9, _ and -, not starting with _ or -',
  )
  .meta({ example: 'default' });

export const chunkingSchema = z
  .object({
    max_tokens: z.int().min(16).max(4_096).describe('Most tokens of a chunk'),
    overlap_tokens: z.int().min(0).max(2_048).describe('Tokens that a chunk repeats of the one before'),
  })
  .refine((value) => value.overlap_tokens <= value.max_tokens / 2, {
    path: ['overlap_tokens'],
    error: 'expected at most half of max_tokens',
  })
  .meta({ id: 'Chunking' });

const metadataIndexSchema = z
  .strictObject({
    field: z
      .string()
      .max(200)
      .regex(
        /^[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+){0,7}$/u,
        'expected keys of letters, digits, _ and -, at most 8 of them, joined by dots',
      )
      .describe('Keys of the metadata, outermost first, joined by dots')
      .meta({ example: 'court.level' }),
    type: z
      .enum(['text', 'number', 'boolean', 'datetime'])
      .describe('Of the values to index, and of the operands of filters that use it; datetime: for `$date`'),
  })
  .meta({ id: 'MetadataIndex' });

const metadataIndexesSchema = z
  .array(metadataIndexSchema)
  .max(16)
  .refine((list) => new Set(list.map(({ field, type }) => `${type} ${field}`)).size === list.length, {
    error: 'expected each field once for a type',
  })
  .describe(
    'Fields of the metadata that filters often use, so that they get an index of their own. At most 16',
  );

export const newCollectionSchema = z
  .strictObject({
    name: collectionNameSchema,
    embedding: z
      .strictObject({
        provider: z
          .enum(['local', 'openai', 'onnx'])
          .describe('onnx: a model in the folder of the server, named like its sub-folder'),
        model: z.string().min(1).max(200).optional(),
        dimensions: z.int().min(1).max(4_000).optional(),
      })
      .optional()
      .describe('Default: the provider of the server. It is fixed for the life of the collection.'),
    distance: z.enum(['cosine', 'l2', 'inner_product']).default('cosine'),
    storage: z
      .enum(['vector', 'halfvec'])
      .default('vector')
      .describe('halfvec: half the space, 16-bit elements'),
    chunking: chunkingSchema.optional(),
    language: z
      .enum(['simple', 'english', 'vietnamese'])
      .default('simple')
      .describe(
        'Of the words for full-text search. All find words with and without diacritics; english finds them by their stems, ' +
          'vietnamese takes syllables as they are, as simple does',
      ),
    text_search: z
      .boolean()
      .default(true)
      .describe('Whether chunks are found by their words, too: modes text and hybrid of a query'),
    metadata_indexes: metadataIndexesSchema.default([]),
  })
  .meta({ id: 'NewCollection' });

export const collectionChangeSchema = z
  .strictObject({
    metadata_indexes: metadataIndexesSchema.optional(),
    text_search: z
      .boolean()
      .optional()
      .describe('Turned on, the words of chunks that are there are made in the background first'),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    error: 'expected something to change',
  })
  .meta({ id: 'CollectionChange' });

export const collectionSchema = z
  .object({
    name: collectionNameSchema,
    embedding: z.object({ provider: z.string(), model: z.string(), dimensions: z.int() }),
    distance: z.enum(['cosine', 'l2', 'inner_product']),
    storage: z.enum(['vector', 'halfvec']),
    chunking: chunkingSchema,
    language: z.string(),
    vector_index: z
      .enum(['hnsw', 'deferred', 'none'])
      .describe(
        'deferred: searches are exact until the initial load has ended and the index was built; none: they stay exact',
      ),
    text_index: z
      .enum(['off', 'filling', 'deferred', 'none', 'gin'])
      .describe(
        'Of the words. off: no text search. filling: it was turned on, and cannot be used before the words of all chunks are made. ' +
          'deferred: searches scan until the initial load has ended and the index was built; none: they keep scanning',
      ),
    metadata_indexes: z.array(
      metadataIndexSchema.extend({
        state: z.enum(['building', 'ready']).describe('building: filters do without it so far'),
      }),
    ),
    statistics: z
      .object({
        documents: z.int(),
        chunks: z.int(),
        characters: z.int(),
        uploads_pending: z.int(),
        bytes: z.int().describe('Table and indexes on disk'),
      })
      .optional(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Collection' });

export const collectionListSchema = z
  .object({ collections: z.array(collectionSchema) })
  .meta({ id: 'CollectionList' });

export type NewCollectionBody = z.output<typeof newCollectionSchema>;
export type CollectionBody = z.output<typeof collectionSchema>;
