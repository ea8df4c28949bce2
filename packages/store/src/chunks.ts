import { createHash } from 'node:crypto';
import type { BinaryRow, CopyTarget, Queryable } from '@sluice/pool';
import { chunkTable } from './chunk-table.ts';
import { encodeInt4, encodeJsonb, encodeText, encodeTextArray, encodeUuid } from './codec/fields.ts';
import { encodeVector, type VectorStorage } from './codec/vector.ts';

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

function place(chunk: ChunkRecord): BinaryRow {
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
const placeColumns = [
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

/** Writes the chunks of a document that has no live version. */
export async function copyChunks(
  db: Copier,
  collection: { id: number; storage: VectorStorage },
  document: { id: string; metadata: Record<string, unknown> },
  chunks: readonly ChunkRecord[],
): Promise<void> {
  const columns = [
    { name: 'id', type: 'uuid' },
    ...placeColumns,
    { name: 'document_id', type: 'uuid' },
    { name: 'metadata', type: 'jsonb' },
    { name: 'embedding', type: collection.storage },
  ];
  const documentId = encodeUuid(document.id);
  const metadata = encodeJsonb(document.metadata);
  function* rows(): Generator<BinaryRow> {
    for (const chunk of chunks) {
      const embedding = encodeVector(chunk.embedding as Float32Array, collection.storage);
      yield [encodeUuid(chunk.id), ...place(chunk), documentId, metadata, embedding];
    }
  }
  await db.copyFrom({ table: chunkTable(collection.id), columns }, rows());
}

/** Keeps a window of chunks of an attempt until it is published. */
export async function stageChunks(
  db: Copier,
  uploadId: string,
  fence: number,
  chunks: readonly ChunkRecord[],
): Promise<void> {
  const columns = [
    { name: 'upload_id', type: 'uuid' },
    { name: 'fence', type: 'int4' },
    { name: 'chunk_id', type: 'uuid' },
    ...placeColumns,
    { name: 'embedding', type: 'vector' },
  ];
  const head = [encodeUuid(uploadId), encodeInt4(fence)];
  function* rows(): Generator<BinaryRow> {
    for (const chunk of chunks) {
      yield [
        ...head,
        encodeUuid(chunk.id),
        ...place(chunk),
        chunk.embedding && encodeVector(chunk.embedding),
      ];
    }
  }
  await db.copyFrom({ table: 'sluice.staged_chunks', columns }, rows());
}

/**
 * Makes the staged chunks of an attempt the document's chunks: drops those that are no longer there, rewrites the place
 * of those that stay (they keep text and vector), adds the new ones. Run it in the publishing transaction.
 */
export async function moveStagedChunks(
  db: Queryable,
  collection: { id: number; storage: VectorStorage },
  document: { id: string; metadata: Record<string, unknown> },
  uploadId: string,
  fence: number,
): Promise<void> {
  const table = chunkTable(collection.id);
  const staged = 'upload_id = $1::uuid and fence = $2::int';
  await db.query(
    `delete from ${table} where document_id = $3::uuid
       and id not in (select chunk_id from sluice.staged_chunks where ${staged})`,
    [uploadId, fence, document.id],
  );
  await db.query(
    `update ${table} c set ordinal = s.ordinal, page = s.page, heading_path = s.heading_path,
       char_start = s.char_start, char_end = s.char_end, metadata = $3::jsonb
     from (select * from sluice.staged_chunks where ${staged} and embedding is null) s where c.id = s.chunk_id`,
    [uploadId, fence, JSON.stringify(document.metadata)],
  );
  await db.query(
    `insert into ${table} (id, document_id, ordinal, text, tokens, page, heading_path, char_start, char_end, metadata, embedding)
     select chunk_id, $3::uuid, ordinal, text, tokens, page, heading_path, char_start, char_end, $4::jsonb,
       embedding::${collection.storage}
     from sluice.staged_chunks where ${staged} and embedding is not null`,
    [uploadId, fence, document.id, JSON.stringify(document.metadata)],
  );
  await db.query('delete from sluice.staged_chunks where upload_id = $1::uuid', [uploadId]);
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

/** Removes what attempts before `fence` have staged. */
export async function deleteStagedChunks(db: Queryable, uploadId: string, fence: number): Promise<void> {
  await db.query('delete from sluice.staged_chunks where upload_id = $1::uuid and fence < $2::int', [
    uploadId,
    fence,
  ]);
}

/** Removes what a worker staged that did not know yet that its upload was over. Returns how many chunks. */
export async function deleteOrphanedChunks(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `delete from sluice.staged_chunks s using sluice.uploads u where u.id = s.upload_id and u.state <> 'processing'`,
  );
  return rowCount;
}
