import type { Queryable } from '@sluice/pool';
import { chunkTable } from './chunk-table.ts';
import type { Document, DocumentChunk } from './documents.ts';
import { StoreError } from './errors.ts';

export type TextChunk = Pick<DocumentChunk, 'ordinal' | 'text' | 'charStart' | 'charEnd'>;

/**
 * The chunks of one version of a document in their order, `pageChunks` a round trip, so that no connection is held while they are
 * sent. Throws `document_changed` as soon as another version is live: what was read would not belong together.
 */
export async function* readTextChunks(
  db: Queryable,
  {
    id,
    collectionId,
    liveUploadId,
    chunks,
  }: Pick<Document, 'id' | 'collectionId' | 'liveUploadId' | 'chunks'>,
  pageChunks: number,
): AsyncGenerator<TextChunk[]> {
  let after = -1;
  for (let read = 0; read < chunks; ) {
    const { rows } = await db.query<TextChunk & Record<string, unknown>>(
      `select ordinal, text, char_start as "charStart", char_end as "charEnd" from ${chunkTable(collectionId)}
       where document_id = $1::uuid and ordinal > $2::int
         and exists (select from sluice.documents where id = $1::uuid and live_upload_id = $3::uuid)
       order by ordinal limit $4::int`,
      [id, after, liveUploadId, pageChunks],
    );
    const last = rows.at(-1);
    if (!last) {
      throw new StoreError('document_changed', 'another version of the document went live meanwhile', { id });
    }
    after = last.ordinal;
    read += rows.length;
    yield rows;
  }
}
