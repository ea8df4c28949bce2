import { chunkTable, distanceOperators } from '../chunk-table.ts';
import { encodeVector } from '../codec/vector.ts';
import { type NearestQuery, nearestChunks, type SearchedCollection } from '../nearest-chunks.ts';
import type { Parameters } from '../parameters.ts';
import { rankedByWords, type WordsQuery } from './ranked-by-words.ts';

/** Of Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", 2009. */
export const rankConstant = 60;

export interface HybridPart extends Pick<NearestQuery, 'vector' | 'access'> {
  /** `hnsw.ef_search`, where the vector index is asked. */
  effort?: number | undefined;
  vectorWeight: number;
  textWeight: number;
  /** How many of each list are fused. */
  candidates: number;
}

export interface RankedQuery extends WordsQuery {
  /** With it the list of words is fused with that of vectors. */
  hybrid?: HybridPart | undefined;
  /** With the ones that are skipped. */
  limit: number;
  /** At most so many hits of a document. */
  mostPerDocument?: number | undefined;
}

const best = 'score desc, place, id';

function fusedLists(
  collection: SearchedCollection,
  { hybrid, filter, ...words }: RankedQuery & { hybrid: HybridPart },
  parameters: Parameters,
): string {
  const { vector, access, candidates, vectorWeight, textWeight } = hybrid;
  const near = { vector, access, filter, limit: candidates };
  const nearest = nearestChunks(collection, near, parameters, 'id, document_id, words');
  const { excluded } = words;
  const allowed =
    excluded === null ? '' : ` where (words @@ ${parameters.bind(excluded, 'tsquery')}) is not true`;
  const ranked = rankedByWords(collection, { ...words, filter }, parameters);
  const share = (weight: number, place: string) =>
    `coalesce(${parameters.bind(weight, 'float8')} / (${rankConstant} + ${place}), 0)`;
  return `select id, coalesce(v.document_id, t.document_id) as document_id, v.place,
       ${share(vectorWeight, 'v.place')} + ${share(textWeight, 't.place')} as score
     from (
       select id, document_id, row_number() over (order by distance, id) as place from (${nearest}) nearest${allowed}
     ) v full join (
       select id, document_id, row_number() over (order by score desc, id) as place from (${ranked}) ranked
       order by place limit ${parameters.bind(candidates, 'int')}
     ) t using (id)`;
}

function perDocument(list: string, most: number, { bind }: Parameters): string {
  return `select id, score, place from (
       select id, score, place, row_number() over (partition by document_id order by ${best}) as nth from (${list}) l
     ) placed where nth <= ${bind(most, 'bigint')}`;
}

/** A subquery: the chunks with `score`, `place` (by the vector alone) and `distance`, null without a vector, of the best. */
export function rankedLists(
  collection: SearchedCollection,
  query: RankedQuery,
  parameters: Parameters,
): string {
  const { id, storage, dimensions, distance: kind } = collection;
  const { hybrid, limit, mostPerDocument } = query;
  const list = hybrid
    ? fusedLists(collection, { ...query, hybrid }, parameters)
    : `select id, document_id, null::bigint as place, score from (${rankedByWords(collection, query, parameters)}) r`;
  const kept = mostPerDocument === undefined ? list : perDocument(list, mostPerDocument, parameters);
  const distance = hybrid
    ? `c.embedding ${distanceOperators[kind]} ${parameters.bind(encodeVector(hybrid.vector, storage), `${storage}(${dimensions})`)}`
    : 'null::float8';
  return `select c.*, p.score, p.place, ${distance} as distance from (
       select id, score, place from (${kept}) k order by ${best} limit ${parameters.bind(limit, 'int')}
     ) p join ${chunkTable(id)} c on c.id = p.id`;
}
