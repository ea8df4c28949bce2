import type { Filter } from '@sluice/contract';
import type { Queryable } from '@sluice/pool';
import {
  type ChunkHit,
  type ChunkQuery,
  type Collection,
  explainSearch,
  type MatchEstimate,
  type RankedHit,
  searchChunks,
} from '@sluice/store';
import { type AccessChoice, type AccessChooser, createAccessChooser } from './access.ts';
import { withSignal } from './with-signal.ts';

/**
 * hnsw: by the vector index. filter: all chunks that the filter let through were compared. exact: all chunks were. gin: by the index
 * of words.
 */
export type IndexUsed = 'hnsw' | 'filter' | 'exact' | 'gin';

/** How a page was found. */
export interface Way {
  index: IndexUsed;
  /** `hnsw.ef_search`; null where the vector index was not asked. */
  effort: number | null;
}

export interface Explanation {
  /** Lines of the server's plan, without the vector. */
  plan: string[];
  /** `hnsw.ef_search`; null where the vector index was not asked. */
  effort: number | null;
  /** What the filter lets through; only where the vector index was an alternative. */
  estimate?: MatchEstimate | undefined;
  /** ms */
  estimateMs: number;
  /** ms, of all statements that were needed */
  searchMs: number;
  statements: number;
}

export interface FoundChunks extends Way {
  hits: (ChunkHit | RankedHit)[];
  /** How words were found, where they were looked for. */
  textIndex?: 'gin' | 'exact';
  explanation?: Explanation;
}

export interface ChunkQuestion extends Pick<ChunkQuery, 'filter' | 'offset' | 'context'> {
  vector: Float32Array;
  k: number;
  /** `hnsw.ef_search`, where the vector index is asked; more of it behind a filter, but for the pages after the first. */
  effort: number;
  /** Most hits of one document. */
  maxPerDocument?: number | undefined;
  /** The way that a page before was found, so that this one goes on where it ended. */
  goOn?: Way | undefined;
  explain?: boolean | undefined;
}

/** When `signal` is aborted, its statements end on the server. */
export type ChunkFinder = (
  collection: Collection,
  question: ChunkQuestion,
  signal?: AbortSignal,
) => Promise<FoundChunks>;

// How many of the nearest chunks are looked at for hits of enough documents.
const candidatesPerHit = [4, 16];
const maxCandidates = 2_000;

/** What to send, one after the other, until there are `k` hits. */
function* attempts(
  { vector, k, filter, offset = 0, maxPerDocument, context, goOn }: ChunkQuestion,
  { access, effort }: AccessChoice,
): Generator<ChunkQuery> {
  const limit = offset + k;
  const query = { vector, limit, filter, offset, context, effort, access };
  const perDocument = (candidates: number | null) =>
    maxPerDocument === undefined ? undefined : { most: maxPerDocument, candidates };
  if (access === 'index' && maxPerDocument !== undefined) {
    const counts = [...candidatesPerHit.map((each) => limit * each), maxCandidates];
    for (const count of new Set(counts.map((count) => Math.min(count, maxCandidates)))) {
      yield { ...query, perDocument: perDocument(count) };
    }
  } else yield { ...query, perDocument: perDocument(null) };
  // The index may have given up before it had enough. Whatever it is that the filter lets through, it is little.
  if (access === 'index' && filter && !goOn)
    yield { ...query, access: 'scan', perDocument: perDocument(null) };
}

async function choose(
  chooser: AccessChooser,
  collection: Collection,
  { k, offset = 0, filter, goOn, effort }: ChunkQuestion,
  signal: AbortSignal | undefined,
): Promise<AccessChoice> {
  if (goOn) return { access: goOn.index === 'hnsw' ? 'index' : 'scan', effort };
  return chooser.choose(collection, filter, { k: offset + k, effort }, signal);
}

export interface ChunkFinderOptions {
  /** Is told of each search by a vector index how long it took, in ms, with its wait for a connection. */
  onIndexSearch?: ((searchMs: number) => void) | undefined;
}

/** The nearest chunks, by the way that loses none of them. */
export function createChunkFinder(lane: Queryable, { onIndexSearch }: ChunkFinderOptions = {}): ChunkFinder {
  const chooser = createAccessChooser(lane);

  return async (collection, question, signal) => {
    const db = withSignal(lane, signal);
    const start = performance.now();
    const choice = await choose(chooser, collection, question, signal);
    const chosen = performance.now();
    let hits: ChunkHit[] = [];
    let last: ChunkQuery | undefined;
    let statements = 0;
    for (const query of attempts(question, choice)) {
      hits = await searchChunks(db, collection, query);
      last = query;
      statements += 1;
      if (hits.length === question.k) break;
    }
    const searchMs = performance.now() - chosen;
    const scanned = last?.access === 'scan';
    if (!scanned) onIndexSearch?.(searchMs);
    if (choice.access === 'index' && scanned) chooser.underReturned(collection, question.filter as Filter);
    const index = scanned ? (question.filter ? 'filter' : 'exact') : 'hnsw';
    const effort = scanned ? null : choice.effort;
    if (!question.explain) return { hits, index, effort };
    const plan = await explainSearch(db, collection, last as ChunkQuery);
    const { estimate } = choice;
    const explanation = { plan, effort, estimate, estimateMs: chosen - start, searchMs, statements };
    return { hits, index, effort, explanation };
  };
}
