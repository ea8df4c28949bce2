import { searchedCollection } from './searched-collection.ts';

/** Of a query for the 10 nearest chunks. */
export function queryBody(vector: Float32Array): string {
  return JSON.stringify({
    vector: Buffer.from(vector.buffer).toString('base64'),
    collection: searchedCollection,
    k: 10,
  });
}
