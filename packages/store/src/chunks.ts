import { createHash } from 'node:crypto';
import type { BinaryRow, CopyTarget, Queryable } from '@sluice/pool';
import { chunkTable } from './chunk-table.ts';
import { encodeInt4, encodeJsonb, encodeText, encodeTextArray, encodeUuid } from './codec/fields.ts';
import { encodeVector, type VectorStorage } from './codec/vector.ts';
import { type KeepsWords, keepsWords, wordsColumn, wordsField } from './text-search/words-column.ts';

export interface ChunkRecord {
  id: string;
  ordinal: number;
  text: string;
  tokens: number;
  page: number | null;
  headingPath: readonly string[];
  charStart: number;
  charEnd: number;
  /** Null only where the live version has the chunk already. */
  embedding: Float32Array | null;
}

/**
 * The id of a chunk: the same text at the same occurrence in the same document always gets the same id, whichever
 * attempt, version or replica computes it. `occurrence` counts equal texts from 0.
 */
export function chunkId(documentId: string, text: string, occurrence: number): string {
  const digest = createHash('sha256').update(`${documentId}\n${occurrence}\n`).update(text).digest();
  digest[6] = ((digest[6] as number) & 0x0f) | 0x80; // version 8: custom
  digest[8] = ((digest[8] as number) & 0x3f) | 0x80; // RFC 9562 variant
  const hex = digest.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Of the columns in `placeColumns`. */
export function placeFields(chunk: ChunkRecord): BinaryRow {
  return [
    encodeInt4(chunk.ordinal),
    encodeText(chunk.text),
    encodeInt4(chunk.tokens),
    chunk.page === null ? null : encodeInt4(chunk.page),
    encodeTextArray(chunk.headingPath),
    encodeInt4(chunk.charStart),
    encodeInt4(chunk.charEnd),
  ];
}
export const placeColumns = [
  { name: 'ordinal', type: 'int4' },
  { name: 'text', type: 'text' },
  { name: 'tokens', type: 'int4' },
  { name: 'page', type: 'int4' },
  { name: 'heading_path', type: 'text[]' },
  { name: 'char_start', type: 'int4' },
  { name: 'char_end', type: 'int4' },
];

interface Copier {
  copyFrom(target: CopyTarget, rows: Iterable<BinaryRow>): Promise<number>;
}

export interface DocumentChunks {
  documentId: string;
  metadata: Record<string, unknown>;
  chunks: readonly ChunkRecord[];
}

/** Writes chunks of any number of documents of a collection; those without a vector are left out. */
export async function copyChunks(
  db: Copier,
  collection: { id: number; storage: VectorStorage } & KeepsWords,
  documents: readonly DocumentChunks[],
): Promise<void> {
  const columns = [
    { name: 'id', type: 'uuid' },
    ...placeColumns,
    { name: 'document_id', type: 'uuid' },
    { name: 'metadata', type: 'jsonb' },
    { name: 'embedding', type: collection.storage },
    // Tables of older collections have the column since their text search was turned on.
    ...(keepsWords(collection) ? [wordsColumn] : []),
  ];
  function* rows(): Generator<BinaryRow> {
    for (const { documentId, metadata, chunks } of documents) {
      const owner = [encodeUuid(documentId), encodeJsonb(metadata)];
      for (const chunk of chunks) {
        if (!chunk.embedding) continue;
        const embedding = encodeVector(chunk.embedding, collection.storage);
        const words = keepsWords(collection) ? [wordsField(chunk, collection)] : [];
        yield [encodeUuid(chunk.id), ...placeFields(chunk), ...owner, embedding, ...words];
      }
    }
  }
  await db.copyFrom({ table: chunkTable(collection.id), columns }, rows());
}

/**
 * Of documents that have a live version: drops the chunks that are no longer there, and puts those that stay, which are those
 * without a vector, in their place. Run it in the publishing transaction, after the documents went live.
 */
export async function keepChunks(
  db: Queryable,
  collection: { id: number },
  documents: readonly DocumentChunks[],
): Promise<void> {
  const table = chunkTable(collection.id);
  const chunks = documents.flatMap((document) => document.chunks);
  await db.query(`delete from ${table} where document_id = any($1::uuid[]) and id <> all($2::uuid[])`, [
    documents.map(({ documentId }) => documentId),
    chunks.map(({ id }) => id),
  ]);
  const kept = chunks.filter(({ embedding }) => embedding === null);
  if (kept.length === 0) return;
  const places = kept.map(({ id, ordinal, page, headingPath, charStart, charEnd }) => {
    return { id, ordinal, page, heading_path: headingPath, char_start: charStart, char_end: charEnd };
  });
  await db.query(
    `update ${table} c set (ordinal, page, heading_path, char_start, char_end, metadata)
       = (p.ordinal, p.page, p.heading_path, p.char_start, p.char_end, d.metadata)
     from json_to_recordset($1::json) as p
       (id uuid, ordinal int, page int, heading_path text[], char_start int, char_end int), sluice.documents d
     where c.id = p.id and d.id = c.document_id
       and (c.ordinal, c.page, c.heading_path, c.char_start, c.char_end, c.metadata)
         is distinct from (p.ordinal, p.page, p.heading_path, p.char_start, p.char_end, d.metadata)`,
    [JSON.stringify(places)],
  );
}

/** Which of these ids the document's live version has. */
export async function findLiveChunkIds(
  db: Queryable,
  collectionId: number,
  documentId: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>(
    `select id from ${chunkTable(collectionId)} where document_id = $1::uuid and id = any($2::uuid[])`,
    [documentId, ids],
  );
  return new Set(rows.map((row) => row.id));
}
