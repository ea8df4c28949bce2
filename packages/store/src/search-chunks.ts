import type { Queryable } from '@sluice/pool';
import type { Collection, Distance } from './collections.ts';
import { type NearestQuery, nearestChunks, type SearchedCollection } from './nearest-chunks.ts';
import { createParameters } from './parameters.ts';

export interface ChunkHit {
  id: string;
  ordinal: number;
  text: string;
  page: number | null;
  headingPath: string[];
  charStart: number;
  charEnd: number;
  /** What the collection's operator gives: cosine distance, L2 distance, or the negative inner product. */
  distance: number;
  documentId: string;
  externalId: string;
  documentName: string;
  documentTitle: string | null;
  metadata: Record<string, unknown>;
}

// Statements with more parameters have long filters, and shapes of their own: named, they would push the common ones out.
const maxPrepared = 24;

/** Higher is better: cosine similarity, 1 / (1 + L2 distance), or the inner product. */
export function scoreOf(kind: Distance, distance: number): number {
  if (kind === 'cosine') return 1 - distance;
  return kind === 'l2' ? 1 / (1 + distance) : -distance;
}

/** Of the chunks that `ranked` gives as `n`, with their documents. */
function hitsOf(ranked: string): string {
  return `select n.id, n.ordinal, n.text, n.page, n.heading_path as "headingPath", n.char_start as "charStart",
       n.char_end as "charEnd", n.distance, n.metadata, d.id as "documentId", d.external_id as "externalId",
       d.name as "documentName", d.title as "documentTitle"
     from (${ranked}) n join sluice.documents d on d.id = n.document_id
     order by n.distance, n.id`;
}

/**
 * The nearest chunks, nearest first, in one round trip. The search effort (`hnsw.ef_search`) and the iterative scan, which
 * goes on where a filter has left too few, are settings of the connection. Throws `wrong_vector_length`.
 */
export async function searchChunks(
  db: Queryable,
  collection: SearchedCollection & Pick<Collection, 'position'>,
  query: NearestQuery,
): Promise<ChunkHit[]> {
  const parameters = createParameters();
  const text = hitsOf(nearestChunks(collection, query, parameters));
  const { rows } = await db.query<ChunkHit & Record<string, unknown>>(text, parameters.values, {
    prepare: parameters.values.length <= maxPrepared,
    // On a standby, what the collection's generation promises has to be there already.
    after: collection.position ?? 'primary',
  });
  return rows;
}
