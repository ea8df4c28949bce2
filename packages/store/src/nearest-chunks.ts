import type { Filter } from '@sluice/contract';
import { chunkTable, distanceOperators } from './chunk-table.ts';
import { encodeVector } from './codec/vector.ts';
import type { Collection } from './collections.ts';
import { StoreError } from './errors.ts';
import { compileFilter } from './filter.ts';
import type { Parameters } from './parameters.ts';

/**
 * `index`: in the order of the vector index where there is one, and a filter applies to what comes. `scan`: all vectors that the
 * filter lets through are compared, by whatever index the filter has, and the vector index is left alone.
 */
export type Access = 'index' | 'scan';

export interface NearestQuery {
  vector: Float32Array;
  /** Null: all of them. */
  limit: number | null;
  filter?: Filter | undefined;
  access: Access;
}

export type SearchedCollection = Pick<
  Collection,
  'id' | 'name' | 'dimensions' | 'distance' | 'storage' | 'metadataIndexes'
>;

/** What filters can be compiled for. */
export const readyIndexes = ({ metadataIndexes }: Pick<Collection, 'metadataIndexes'>) =>
  metadataIndexes.filter(({ ready }) => ready);

/** A subquery: `columns` of chunks, and their `distance`, of the nearest `limit`. Throws `wrong_vector_length`. */
export function nearestChunks(
  collection: SearchedCollection,
  { vector, limit, filter, access }: NearestQuery,
  parameters: Parameters,
  columns = '*',
): string {
  const { id, name, dimensions, storage } = collection;
  if (vector.length !== dimensions) {
    throw new StoreError(
      'wrong_vector_length',
      `the vector has ${vector.length} dimensions, collection ${name} has ${dimensions}`,
      { given: vector.length, expected: dimensions },
    );
  }
  const asked = parameters.bind(encodeVector(vector, storage), `${storage}(${dimensions})`);
  const distance = `embedding ${distanceOperators[collection.distance]} ${asked}`;
  const most = parameters.bind(limit, 'int');
  const where = filter ? ` where ${compileFilter(filter, parameters, readyIndexes(collection))}` : '';
  // ORDER BY a bare operator with a parameter and LIMIT: any other shape does not use the HNSW index, which is the point of
  // the other one. With the id the same chunks come first whatever the limit.
  const order = access === 'index' ? distance : `(${distance}) + 0, id`;
  return `select ${columns}, ${distance} as distance from ${chunkTable(id)}${where} order by ${order} limit ${most}`;
}
