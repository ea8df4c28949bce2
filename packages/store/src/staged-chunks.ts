import type { Queryable, Transaction } from '@sluice/pool';
import { chunkTable } from './chunk-table.ts';
import { type ChunkRecord, placeColumns, placeFields } from './chunks.ts';
import { encodeUuid } from './codec/fields.ts';
import { encodeVector, type VectorStorage } from './codec/vector.ts';
import { type KeepsWords, keepsWords, wordsColumn, wordsField } from './text-search/words-column.ts';

export interface StagedChunk {
  ordinal: number;
  chunkId: string;
  /** False where the live version was to lend its vector. */
  embedded: boolean;
}

/** What earlier attempts have staged of these places of an upload. */
export async function findStagedChunks(
  db: Queryable,
  uploadId: string,
  { from, to }: { from: number; to: number },
): Promise<StagedChunk[]> {
  const { rows } = await db.query<StagedChunk & Record<string, unknown>>(
    `select ordinal, chunk_id as "chunkId", embedding is not null as embedded from sluice.staged_chunks
     where upload_id = $1::uuid and ordinal between $2::int and $3::int`,
    [uploadId, from, to],
  );
  return rows;
}

/**
 * Keeps chunks of an upload until it is published, in place of what was staged there before. False when the fence is not ours
 * any more: then nothing was written. It counts as a step forward of the upload.
 */
export async function stageChunks(
  transaction: Transaction,
  uploadId: string,
  fence: number,
  chunks: readonly ChunkRecord[],
  collection: KeepsWords = {},
): Promise<boolean> {
  // The row stays locked until the end of the transaction, so no other attempt can begin in between.
  const { rows } = await transaction.query<{ held: boolean }>(
    `with held as (
       update sluice.uploads set lost_attempts = 0, updated_at = now()
       where id = $1::uuid and fence = $2::int and state = 'processing' returning id
     ), cleared as (
       delete from sluice.staged_chunks where upload_id in (select id from held) and ordinal = any($3::int[])
     )
     select exists (select from held) as held`,
    [uploadId, fence, chunks.map(({ ordinal }) => ordinal)],
  );
  if (!rows[0]?.held) return false;
  const columns = [
    { name: 'upload_id', type: 'uuid' },
    { name: 'chunk_id', type: 'uuid' },
    ...placeColumns,
    { name: 'embedding', type: 'vector' },
    wordsColumn,
  ];
  const owner = encodeUuid(uploadId);
  function* fields() {
    for (const chunk of chunks) {
      const embedding = chunk.embedding && encodeVector(chunk.embedding);
      // One that stays in its place has them there.
      const words = embedding && wordsField(chunk, collection);
      yield [owner, encodeUuid(chunk.id), ...placeFields(chunk), embedding, words];
    }
  }
  await transaction.copyFrom({ table: 'sluice.staged_chunks', columns }, fields());
  return true;
}

/** Of those from place `from` to before `to`. */
export type MoveStaged = (from: number, to: number) => Promise<void>;

/**
 * Makes the first `total` staged chunks of an upload the chunks of its document: drops those that are no longer there, puts
 * those that stay in their place (they keep text and vector), adds the new ones. False when some of them have no vector: they
 * were lost in a crash, or the live version that was to lend it is another one now. Run it in the publishing transaction, after
 * the document went live. `inTurn` says how many are moved at a time. Default: all of them.
 */
export async function moveStagedChunks(
  transaction: Transaction,
  collection: { id: number; storage: VectorStorage } & KeepsWords,
  { documentId, uploadId, total }: { documentId: string; uploadId: string; total: number },
  inTurn: (total: number, move: MoveStaged) => Promise<void> = (count, move) => move(0, count),
): Promise<boolean> {
  const table = chunkTable(collection.id);
  const staged = '(select * from sluice.staged_chunks where upload_id = $1::uuid and ordinal < $2::int)';
  const piece = `(select * from sluice.staged_chunks
    where upload_id = $1::uuid and ordinal >= $2::int and ordinal < $3::int)`;
  const owner = [uploadId, total];
  const words = keepsWords(collection);
  let added = 0;
  await transaction.query(
    `delete from ${table} where document_id = $3::uuid and id not in (select chunk_id from ${staged} s)`,
    [...owner, documentId],
  );
  const kept = await transaction.query<{ count: number }>(
    `select count(*) as count from ${table} c join ${staged} s on s.chunk_id = c.id where c.document_id = $3::uuid`,
    [...owner, documentId],
  );
  await inTurn(total, async (from, to) => {
    await transaction.query(
      `update ${table} c set (ordinal, page, heading_path, char_start, char_end, metadata)
         = (s.ordinal, s.page, s.heading_path, s.char_start, s.char_end, d.metadata)
       from ${piece} s, sluice.documents d
       where c.id = s.chunk_id and d.id = $4::uuid and c.document_id = d.id
         and (c.ordinal, c.page, c.heading_path, c.char_start, c.char_end, c.metadata)
           is distinct from (s.ordinal, s.page, s.heading_path, s.char_start, s.char_end, d.metadata)`,
      [uploadId, from, to, documentId],
    );
    const { rowCount } = await transaction.query(
      `insert into ${table}
         (id, document_id, ordinal, text, tokens, page, heading_path, char_start, char_end, metadata, embedding${words ? ', words' : ''})
       select s.chunk_id, d.id, s.ordinal, s.text, s.tokens, s.page, s.heading_path, s.char_start, s.char_end, d.metadata,
         s.embedding::${collection.storage}${words ? ', s.words' : ''}
       from ${piece} s, sluice.documents d where d.id = $4::uuid and s.embedding is not null
       on conflict (id) do nothing`,
      [uploadId, from, to, documentId],
    );
    added += rowCount;
  });
  await transaction.query('delete from sluice.staged_chunks where upload_id = $1::uuid', [uploadId]);
  return (kept.rows[0]?.count ?? 0) + added === total;
}

/** Removes what was staged for uploads that are over. Returns how many chunks. */
export async function deleteOrphanedChunks(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `delete from sluice.staged_chunks s using sluice.uploads u
     where u.id = s.upload_id and u.state not in ('queued', 'processing')`,
  );
  return rowCount;
}
