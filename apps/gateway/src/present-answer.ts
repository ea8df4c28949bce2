import type { AnswerBody, HitBody, HitPart, QueryBody } from '@sluice/contract';
import type { QueryHit, RerankedAnswer, RerankedHit, SearchAnswer } from '@sluice/search';
import type { Collection } from '@sluice/store';

const tenths = (ms: number) => Math.round(ms * 10) / 10;

function presentContext({ ordinal, neighbours = [] }: QueryHit): NonNullable<HitBody['context']> {
  const bodies = neighbours.map(({ id, ...neighbour }) => ({ chunk_id: id, ...neighbour }));
  return {
    before: bodies.filter((neighbour) => neighbour.ordinal < ordinal),
    after: bodies.filter((neighbour) => neighbour.ordinal > ordinal),
  };
}

function presentHit(hit: RerankedHit): HitBody {
  return {
    score: hit.score,
    ...(hit.rerankScore !== undefined && { rerank_score: hit.rerankScore }),
    distance: hit.distance,
    chunk_id: hit.id,
    text: hit.text,
    ordinal: hit.ordinal,
    page: hit.page,
    heading_path: hit.headingPath,
    char_start: hit.charStart,
    char_end: hit.charEnd,
    document: {
      id: hit.documentId,
      external_id: hit.externalId,
      name: hit.documentName,
      title: hit.documentTitle,
      metadata: hit.metadata,
    },
    ...(hit.neighbours && { context: presentContext(hit) }),
  };
}

/** Only the parts that were asked for; then it has less than a whole hit. */
function reduced(hit: HitBody, fields: readonly HitPart[]): HitBody {
  const asked = new Set<string>([...fields, 'chunk_id', 'score', 'rerank_score', 'collection']);
  const { metadata, ...document } = hit.document;
  const about = { ...(asked.has('document') && document), ...(asked.has('metadata') && { metadata }) };
  const parts = { ...hit, document: about };
  if (Object.keys(about).length > 0) asked.add('document');
  return Object.fromEntries(Object.entries(parts).filter(([part]) => asked.has(part))) as HitBody;
}

type SearchBody = NonNullable<AnswerBody['answer']['searches']>[number];

function presentSearch(
  collection: string,
  { generation, cached, confirmed, degraded, index, effort, textIndex, explanation, timings }: SearchAnswer,
): SearchBody {
  return {
    collection,
    generation,
    cached,
    confirmed,
    degraded,
    index,
    effort,
    ...(textIndex && { text_index: textIndex }),
    ...(explanation && {
      explanation: {
        plan: explanation.plan,
        effort: explanation.effort,
        statements: explanation.statements,
        estimate: explanation.estimate ?? null,
        timings: {
          embed_ms: tenths(timings.embed),
          estimate_ms: tenths(explanation.estimateMs),
          search_ms: tenths(explanation.searchMs),
        },
      },
    }),
  };
}

// From what was made for this query to what is furthest from it.
const cachedOrder = ['none', 'stale', 'shared', 'redis', 'memory'] as const;

/** How an answer was found that several searches make up: as the one that took most. */
function together(each: readonly SearchAnswer['cached'][]): SearchAnswer['cached'] {
  return cachedOrder.find((cached) => each.includes(cached)) ?? 'none';
}

export function presentAnswer(
  { mode, fields, explain }: QueryBody,
  collections: readonly Collection[],
  { hits, cursor, searches, degraded, rerankMs, total }: RerankedAnswer,
): AnswerBody {
  const [first] = searches as [SearchAnswer];
  const perCollection = searches.length / collections.length;
  const nameOf = (search: number) => (collections[Math.floor(search / perCollection)] as Collection).name;
  const longest = (timing: 'embed' | 'search') =>
    tenths(Math.max(...searches.map(({ timings }) => timings[timing])));
  const bodies = hits.map((hit) => {
    const body = presentHit(hit);
    return collections.length > 1 ? { ...body, collection: hit.collection } : body;
  });
  return {
    results: fields ? bodies.map((body) => reduced(body, fields)) : bodies,
    next_cursor: cursor,
    answer: {
      mode,
      collection: nameOf(0),
      cached: together(searches.map(({ cached }) => cached)),
      confirmed: searches.every(({ confirmed }) => confirmed),
      degraded,
      index: first.index,
      effort: first.effort,
      ...(first.textIndex && { text_index: first.textIndex }),
      generation: first.generation,
      ...((searches.length > 1 || explain) && {
        searches: searches.map((search, i) => presentSearch(nameOf(i), search)),
      }),
      timings: {
        embed_ms: longest('embed'),
        search_ms: longest('search'),
        rerank_ms: tenths(rerankMs),
        total_ms: tenths(total),
      },
    },
  };
}
