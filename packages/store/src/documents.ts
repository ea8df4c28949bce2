import type { Queryable, Transaction } from '@sluice/pool';
import { chunkTable } from './chunk-table.ts';
import { bumpGeneration, holdCollectionOf } from './collections.ts';

export interface Document {
  id: string;
  collectionId: number;
  collectionName: string;
  externalId: string;
  name: string;
  format: string;
  title: string | null;
  metadata: Record<string, unknown>;
  chunks: number;
  characters: number;
  liveUploadId: string;
  createdAt: Date;
  updatedAt: Date;
}

const columns = `d.id, d.collection_id as "collectionId", c.name as "collectionName", d.external_id as "externalId", d.name,
  d.format, d.title, d.metadata, d.chunk_count as chunks, d.character_count as characters,
  d.live_upload_id as "liveUploadId", d.created_at as "createdAt", d.updated_at as "updatedAt"`;
const source = 'sluice.documents d join sluice.collections c on c.id = d.collection_id';

type DocumentRow = Document & Record<string, unknown>;

/** A live document, else undefined. */
export async function findDocument(db: Queryable, id: string): Promise<Document | undefined> {
  const { rows } = await db.query<DocumentRow>(
    `select ${columns} from ${source} where d.id = $1::uuid and d.live_upload_id is not null`,
    [id],
  );
  return rows[0];
}

export interface DocumentListing {
  collectionId: number;
  externalId?: string | undefined;
  /** The last document of the page before. */
  after?: { createdAtMicros: number; id: string } | undefined;
  limit: number;
}

/** Live documents in the order in which they were created, with what `after` needs of the last one. */
export async function listDocuments(
  db: Queryable,
  { collectionId, externalId, after, limit }: DocumentListing,
): Promise<(Document & { createdAtMicros: number })[]> {
  const { rows } = await db.query<DocumentRow & { createdAtMicros: number }>(
    `select ${columns}, (extract(epoch from d.created_at) * 1000000)::bigint as "createdAtMicros" from ${source}
     where d.collection_id = $1::bigint and d.live_upload_id is not null
       and ($2::text is null or d.external_id = $2::text)
       and ($3::bigint is null
         or (d.created_at, d.id) > (timestamptz 'epoch' + $3::bigint * interval '1 microsecond', $4::uuid))
     order by d.created_at, d.id limit $5::int`,
    [collectionId, externalId ?? null, after?.createdAtMicros ?? null, after?.id ?? null, limit],
  );
  return rows;
}

/**
 * Gives a live document another name or other metadata, and its chunks the same, which keep text and vector. Returns whether
 * there is one.
 */
export async function updateDocument(
  transaction: Transaction,
  id: string,
  { name, metadata }: { name?: string | undefined; metadata?: Record<string, unknown> | undefined },
): Promise<boolean> {
  await holdCollectionOf(transaction, id);
  const json = metadata === undefined ? null : JSON.stringify(metadata);
  const { rows } = await transaction.query<{ collectionId: number }>(
    `update sluice.documents set name = coalesce($2::text, name), metadata = coalesce($3::jsonb, metadata), updated_at = now()
     where id = $1::uuid and live_upload_id is not null returning collection_id as "collectionId"`,
    [id, name ?? null, json],
  );
  if (!rows[0]) return false;
  const { collectionId } = rows[0];
  if (json !== null) {
    await transaction.query(
      `update ${chunkTable(collectionId)} set metadata = $2::jsonb where document_id = $1::uuid`,
      [id, json],
    );
  }
  await bumpGeneration(transaction, collectionId);
  return true;
}

export interface DocumentChunk {
  id: string;
  ordinal: number;
  text: string;
  tokens: number;
  page: number | null;
  headingPath: string[];
  charStart: number;
  charEnd: number;
}

/** Chunks of a document in their order, from the one behind ordinal `after` on. */
export async function listDocumentChunks(
  db: Queryable,
  { id, collectionId }: Pick<Document, 'id' | 'collectionId'>,
  { after, limit }: { after: number; limit: number },
): Promise<DocumentChunk[]> {
  const { rows } = await db.query<DocumentChunk & Record<string, unknown>>(
    `select id, ordinal, text, tokens, page, heading_path as "headingPath", char_start as "charStart", char_end as "charEnd"
     from ${chunkTable(collectionId)} where document_id = $1::uuid and ordinal > $2::int
     order by ordinal limit $3::int`,
    [id, after, limit],
  );
  return rows;
}
