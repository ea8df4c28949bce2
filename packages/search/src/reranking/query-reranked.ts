import type { Degradation } from '../degradation.ts';
import { type Query, type QueryAnswer, type QueryHit, queryCollections } from '../query-collections.ts';
import type { Search } from '../search.ts';
import { type Reranker, RerankFault } from './reranker.ts';

/** How the hits of a query are put in another order. */
export interface Reranking {
  reranker: Reranker;
  /** What the texts are judged by. */
  text: string;
  /** How many hits of the search are judged; as many as are asked for at least. */
  candidates: number;
}

export interface RerankedHit extends QueryHit {
  /** By the reranker; absent where it was not asked, or did not answer. */
  rerankScore?: number;
}

export interface RerankedAnswer extends Omit<QueryAnswer, 'hits'> {
  hits: RerankedHit[];
  /** ms; 0 without re-ranking. */
  rerankMs: number;
}

function reordered(hits: readonly QueryHit[], scores: readonly number[]): RerankedHit[] {
  const scored = hits.map((hit, i) => ({ ...hit, rerankScore: scores[i] as number }));
  // Sorting is stable: of equals the one that the search had first stays first.
  return scored.sort((a, b) => b.rerankScore - a.rerankScore);
}

/**
 * Answers a query, its hits in the order of a reranker if one is given. Where that fails they are in the order of the search, and the
 * answer says so. Throws what `queryCollections` throws.
 */
export async function queryReranked(
  search: Search,
  query: Query,
  reranking: Reranking | undefined,
): Promise<RerankedAnswer> {
  if (!reranking) return { ...(await queryCollections(search, query)), rerankMs: 0 };
  const start = performance.now();
  const { reranker, text, candidates } = reranking;
  const answer = await queryCollections(search, { ...query, k: Math.max(query.k, candidates) });
  // An order of some of the hits has no next page.
  const page = { ...answer, cursor: null };
  if (answer.hits.length === 0) return { ...page, rerankMs: 0 };
  const found = performance.now();
  const took = () => ({ rerankMs: performance.now() - found, total: performance.now() - start });
  try {
    const texts = answer.hits.map((hit) => hit.text);
    const scores = await reranker.rerank(text, texts, query.signal);
    return { ...page, hits: reordered(answer.hits, scores).slice(0, query.k), ...took() };
  } catch (error) {
    if (!(error instanceof RerankFault)) throw error;
    const skipped: Degradation = { code: 'rerank_skipped', detail: `re-ranking: ${error.message}` };
    const degraded = [...answer.degraded, skipped];
    return { ...page, hits: answer.hits.slice(0, query.k), degraded, ...took() };
  }
}
