import { createHash } from 'node:crypto';
import type { Filter } from '@sluice/contract';
import { type ChunkHit, type Collection, scoreOf } from '@sluice/store';
import { readCursor, requireSameContents, writeCursor } from './cursor.ts';
import { allDegradations, type Degradation } from './degradation.ts';
import { SearchError } from './errors.ts';
import type { ChunkQuestion } from './find-chunks.ts';
import type { WordSearch } from './find-words.ts';
import { fuse, mergeByDistance, mergeByScore } from './fuse.ts';
import type { Search, SearchAnswer } from './search.ts';

/** How far pages reach. */
export const maxDepth = 1_000;

export interface Query extends Pick<ChunkQuestion, 'k' | 'maxPerDocument' | 'context' | 'explain'> {
  /** Of one model and distance; one at least. */
  collections: readonly Collection[];
  /** Texts or vectors; one at least. The answers of several are fused. */
  queries: readonly (string | Float32Array)[];
  /** Search by the words of the texts, alone or beside their vectors. */
  words?: Omit<WordSearch, 'candidates'> | undefined;
  filter?: Filter | undefined;
  /** Only hits of that score at least, in the answer to one of the queries. */
  minScore?: number | undefined;
  cursor?: string | undefined;
  /** Ends all searches of the query. */
  signal?: AbortSignal | undefined;
  /** Oldest answer to give while the database does not answer, in ms. Default and most: what the search allows. */
  maxStaleMs?: number | undefined;
}

export interface QueryHit extends Omit<ChunkHit, 'distance'> {
  collection: string;
  /** Null where it was found by words alone. */
  distance: number | null;
  /** Of the collection's distance, or of the words; of several queries the sum of 1 / (60 + place). */
  score: number;
}

export interface QueryAnswer {
  hits: QueryHit[];
  /** Of the next page; null where there is none, or none that may be asked for. */
  cursor: string | null;
  /** Each collection by each query, collection by collection. */
  searches: SearchAnswer[];
  /** Of all searches, each once; empty as a rule. */
  degraded: Degradation[];
  /** ms */
  total: number;
}

type Compared = 'embeddingProvider' | 'embeddingModel' | 'dimensions' | 'distance';
const compared: readonly Compared[] = ['embeddingProvider', 'embeddingModel', 'dimensions', 'distance'];

/** Distances in different spaces say nothing of each other. */
function requireAgreement([first, ...others]: readonly Collection[]): void {
  for (const other of others) {
    const differing = compared.find((what) => first?.[what] !== other[what]);
    if (!differing || !first) continue;
    throw new SearchError(
      'collections_differ',
      `collections ${first.name} and ${other.name} cannot be searched together: ${first[differing]} and ${other[differing]}`,
      { collections: [first.name, other.name], [differing]: [first[differing], other[differing]] },
    );
  }
}

/** Of what decides which hits there are, and in which order. */
function fingerprintOf({ collections, queries, words, filter, minScore, maxPerDocument }: Query): string {
  const hash = createHash('sha256');
  for (const query of queries) {
    if (typeof query === 'string') hash.update(`${query}\0`);
    else hash.update(Buffer.from(query.buffer, query.byteOffset, query.byteLength));
  }
  const rest = [collections.map(({ id }) => id), queries.length, words, filter, minScore, maxPerDocument];
  return hash.update(JSON.stringify(rest)).digest('base64url').slice(0, 16);
}

function scored({ hits, collection: { name, distance } }: SearchAnswer): QueryHit[] {
  return hits.map((hit) => {
    const score = 'score' in hit ? hit.score : scoreOf(distance, hit.distance);
    return { ...hit, collection: name, score };
  });
}

function capped(hits: readonly QueryHit[], most: number): QueryHit[] {
  const seen = new Map<string, number>();
  return hits.filter(({ documentId }) => {
    const count = (seen.get(documentId) ?? 0) + 1;
    seen.set(documentId, count);
    return count <= most;
  });
}

/** One list of what several searches have found, best first. */
function combine(query: Query, searches: readonly SearchAnswer[]): QueryHit[] {
  const { collections, queries, words, minScore = Number.NEGATIVE_INFINITY, maxPerDocument } = query;
  const merge = words ? mergeByScore : mergeByDistance;
  const lists = queries.map((_, i) => {
    const found = collections.map((_, j) => scored(searches[j * queries.length + i] as SearchAnswer));
    return merge(found).filter(({ score }) => score >= minScore);
  });
  const hits = lists.length === 1 ? (lists[0] as QueryHit[]) : fuse(lists);
  return maxPerDocument === undefined || searches.length === 1 ? hits : capped(hits, maxPerDocument);
}

// Of several lists, each has to be longer than what they become: a hit that is tenth in both belongs before one that is
// second in one.
const fusedDepth = (k: number) => Math.min(maxDepth, Math.max(100, 5 * k));

/** What each search is asked for, so that the page at `offset` can be cut out of what they find together. */
function partOf({ collections, queries, k }: Query, offset: number, depth: number) {
  if (queries.length > 1) return { k: depth };
  return collections.length > 1 ? { k: offset + k } : { k, offset };
}

/**
 * Answers a query: one search for each collection and each text or vector, side by side. Pages are stable as long as no
 * collection changes: each is searched the way the first one was. Throws `SearchError`, and what `Search` throws.
 */
export async function queryCollections(search: Search, query: Query): Promise<QueryAnswer> {
  const start = performance.now();
  const { collections, queries, filter, maxPerDocument, context, explain, signal, maxStaleMs } = query;
  requireAgreement(collections);
  const fingerprint = fingerprintOf(query);
  const page = query.cursor === undefined ? undefined : readCursor(query.cursor, fingerprint);
  const { offset, depth, ways } = page ?? { offset: 0, depth: fusedDepth(query.k), ways: [] };
  const k = Math.min(query.k, maxDepth - offset);
  const part = partOf({ ...query, k }, offset, depth);
  const words = query.words && { ...query.words, candidates: depth };
  const searches = await Promise.all(
    collections.flatMap((collection, j) =>
      queries.map((text, i) => {
        const goOn = ways[j * queries.length + i];
        return search({
          collection,
          query: text,
          words,
          ...part,
          filter,
          maxPerDocument,
          context,
          explain,
          goOn,
          signal,
          maxStaleMs,
        });
      }),
    ),
  );
  // As they were searched: another gateway may have known of a newer one.
  const generations = collections.map((_, j) => (searches[j * queries.length] as SearchAnswer).generation);
  if (page) requireSameContents(page, generations);
  const found = combine(query, searches);
  const hits = searches.length === 1 ? found : found.slice(offset, offset + k);
  const end = offset + hits.length;
  const used = searches.map(({ index, effort }) => ({ index, effort }));
  const cursor =
    hits.length === k && end < maxDepth
      ? writeCursor({ offset: end, depth, generations, ways: used, fingerprint })
      : null;
  const degraded = allDegradations(searches.map((search) => search.degraded));
  return { hits, cursor, searches, degraded, total: performance.now() - start };
}
