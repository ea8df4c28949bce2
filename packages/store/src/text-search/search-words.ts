import type { Queryable } from '@sluice/pool';
import type { Collection } from '../collections.ts';
import type { SearchedCollection } from '../nearest-chunks.ts';
import { createParameters } from '../parameters.ts';
import {
  type ChunkHit,
  type ChunkQuery,
  effortSettings,
  explainStatement,
  hitsOf,
  runStatement,
} from '../search-chunks.ts';
import { type RankedQuery, rankedLists } from './ranked-lists.ts';

/** Of a search for words, or for words and a vector. */
export interface RankedHit extends Omit<ChunkHit, 'distance'> {
  /** Null without a vector. */
  distance: number | null;
  /** Of words from 0 to 1, of both the sum of weight / (60 + place). */
  score: number;
}

export type RankedChunkQuery = RankedQuery & Pick<ChunkQuery, 'offset' | 'context'>;

function statementOf(collection: SearchedCollection, query: RankedChunkQuery) {
  const parameters = createParameters();
  const ranked = rankedLists(collection, query, parameters);
  const order = 'n.score desc, n.place, n.id';
  const text = hitsOf(collection, { ...query, ranked, order, columns: 'n.score, ' }, parameters);
  const { hybrid } = query;
  const settings = hybrid && effortSettings({ ...hybrid, limit: hybrid.candidates });
  return { text, values: parameters.values, settings };
}

/** The best chunks by their words, or by words and vector, best first, in one round trip. Throws `wrong_vector_length`. */
export function searchWords(
  db: Queryable,
  collection: SearchedCollection & Pick<Collection, 'position'>,
  query: RankedChunkQuery,
): Promise<RankedHit[]> {
  return runStatement<RankedHit>(db, collection, statementOf(collection, query));
}

/** How the server would run it: lines of its plan. Nothing is run. */
export function explainWords(
  db: Queryable,
  collection: SearchedCollection,
  query: RankedChunkQuery,
): Promise<string[]> {
  return explainStatement(db, statementOf(collection, query));
}
