import type { Filter } from '@sluice/contract';
import type { Queryable } from '@sluice/pool';
import { chunkTable, distanceOperators } from './chunk-table.ts';
import { encodeVector } from './codec/vector.ts';
import type { Collection, Distance } from './collections.ts';
import { StoreError } from './errors.ts';
import { compileFilter } from './filter.ts';
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

export interface VectorSearch {
  vector: Float32Array;
  k: number;
  /** Only chunks of documents whose metadata fits. */
  filter?: Filter | undefined;
}

/**
 * The k nearest chunks, nearest first, in one round trip. The search effort (`hnsw.ef_search`) and the iterative scan,
 * which keeps filtered searches from losing results, are settings of the connection. Throws `wrong_vector_length`.
 */
export async function searchChunks(
  db: Queryable,
  collection: Pick<Collection, 'id' | 'name' | 'dimensions' | 'distance' | 'storage' | 'position'>,
  { vector, k, filter }: VectorSearch,
): Promise<ChunkHit[]> {
  const { dimensions, storage } = collection;
  if (vector.length !== dimensions) {
    throw new StoreError(
      'wrong_vector_length',
      `the vector has ${vector.length} dimensions, collection ${collection.name} has ${dimensions}`,
      { given: vector.length, expected: dimensions },
    );
  }
  // ORDER BY a bare operator with a parameter and LIMIT: any other shape does not use the HNSW index.
  const parameters = createParameters();
  const vectorParameter = parameters.bind(encodeVector(vector, storage), `${storage}(${dimensions})`);
  const distance = `embedding ${distanceOperators[collection.distance]} ${vectorParameter}`;
  const limit = parameters.bind(k, 'int');
  const where = filter ? `where ${compileFilter(filter, parameters)}` : '';
  const { rows } = await db.query<ChunkHit & Record<string, unknown>>(
    `select n.id, n.ordinal, n.text, n.page, n.heading_path as "headingPath", n.char_start as "charStart",
       n.char_end as "charEnd", n.distance, n.metadata, d.id as "documentId", d.external_id as "externalId",
       d.name as "documentName", d.title as "documentTitle"
     from (
       select *, ${distance} as distance from ${chunkTable(collection.id)} ${where} order by ${distance} limit ${limit}
     ) n join sluice.documents d on d.id = n.document_id
     order by n.distance, n.id`,
    parameters.values,
    // On a standby, what the collection's generation promises has to be there already.
    { prepare: parameters.values.length <= maxPrepared, after: collection.position ?? 'primary' },
  );
  return rows;
}
