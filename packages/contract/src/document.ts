import { z } from 'zod';
import { collectionNameSchema } from './collection.ts';
import { metadataSchema } from './metadata.ts';
import { storableText } from './storable-text.ts';

export const documentSchema = z
  .object({
    id: z.uuid(),
    collection: collectionNameSchema,
    external_id: z.string(),
    name: z.string(),
    title: z.string().nullable(),
    format: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    chunks: z.int(),
    characters: z.int(),
    upload_id: z.uuid().describe('The upload whose version is live'),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Document' });

const pageCursor = (pattern: RegExp) =>
  z.string().regex(pattern, 'expected the next_cursor of the page before');

export const documentListSchema = z
  .object({ documents: z.array(documentSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'DocumentList' });

export const documentListQuerySchema = z.strictObject({
  collection: collectionNameSchema.default('default'),
  external_id: storableText(512).optional(),
  cursor: pageCursor(/^\d{1,16}\.[0-9a-f-]{36}$/).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const documentChangeSchema = z
  .strictObject({ name: storableText(512).optional(), metadata: metadataSchema.optional() })
  .refine((change) => Object.keys(change).length > 0, 'expected name, metadata or both')
  .meta({ id: 'DocumentChange' });

export const chunkSchema = z
  .object({
    id: z.uuid(),
    ordinal: z.int().describe('Place in the document, from 0'),
    text: z.string(),
    tokens: z.int(),
    page: z.int().nullable(),
    heading_path: z.array(z.string()),
    char_start: z.int(),
    char_end: z.int(),
  })
  .meta({ id: 'Chunk' });

export const documentTextSchema = z
  .object({
    document_id: z.uuid(),
    upload_id: z.uuid().describe('The upload whose version this is'),
    characters: z.int().describe('Length of `text`, in UTF-16 units'),
    text: z.string(),
  })
  .meta({ id: 'DocumentText' });

export const chunkListSchema = z
  .object({ chunks: z.array(chunkSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'ChunkList' });

export const chunkListQuerySchema = z.strictObject({
  cursor: pageCursor(/^\d{1,10}$/).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export type ChunkBody = z.output<typeof chunkSchema>;
export type DocumentBody = z.output<typeof documentSchema>;
