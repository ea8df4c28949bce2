import type { Filter } from '@sluice/contract';
import { chunkTable } from '../chunk-table.ts';
import { compileFilter } from '../filter.ts';
import { readyIndexes, type SearchedCollection } from '../nearest-chunks.ts';
import type { Parameters } from '../parameters.ts';
import type { CompiledText } from './compile-text-query.ts';

export interface WordsQuery extends CompiledText {
  /** Of the collection, for how rare a word is; 0: not known. */
  chunks: number;
  filter?: Filter | undefined;
}

/** Of what matches so many chunks are ranked, those that come first in the table: of more, none is about the query alone. */
export const maxRankedChunks = 2_000;

/** For how much of the score a word counts beyond its rank, where it is written exactly as in the query. */
const exactShare = 0.5;

/**
 * A subquery: `id`, `document_id` and `score` of chunks that match, from 0 to 1. The score is that of BM25 in its parts: each term
 * counts by the logarithm of its rarity among what was matched, and by how often it is there, with diminishing returns
 * (ts_rank of one word: 0.61 for once, never quite 1).
 */
export function rankedByWords(
  { id, metadataIndexes }: Pick<SearchedCollection, 'id' | 'metadataIndexes'>,
  { match, terms, chunks, filter }: WordsQuery,
  parameters: Parameters,
): string {
  const { bind } = parameters;
  const asked = bind(match, 'tsquery');
  const rank = (query: string, phrase: boolean) => {
    const term = bind(query, 'tsquery');
    const rank = `ts_rank('{1,1,1,1}', words, ${term})::float8`;
    return phrase ? `case when words @@ ${term} then ${rank} else 0 end` : rank;
  };
  const columns: string[] = [];
  const gained: string[] = [];
  const possible: string[] = [];
  for (const [i, { base, exact, phrase }] of terms.entries()) {
    columns.push(`${rank(base, phrase)} as base_${i}`);
    if (exact !== null) columns.push(`${rank(exact, phrase)} as exact_${i}`);
    const having = `count(*) filter (where base_${i} > 0) over ()`;
    const weight = `ln(1 + (greatest(total, count(*) over ()) - ${having} + 0.5) / (${having} + 0.5))`;
    gained.push(`${weight} * (base_${i}${exact === null ? '' : ` + ${exactShare} * exact_${i}`})`);
    possible.push(`${weight} * ${exact === null ? 1 : 1 + exactShare}`);
  }
  const score = terms.length === 0 ? '0' : `(${gained.join(' + ')}) / (${possible.join(' + ')})`;
  const where = filter ? ` and ${compileFilter(filter, parameters, readyIndexes({ metadataIndexes }))}` : '';
  // Taken out of their storage once, not for each term.
  const matching = `select id, document_id, words || ''::tsvector as words from ${chunkTable(id)}
       where words @@ ${asked}${where} limit ${bind(maxRankedChunks, 'int')}`;
  return `select id, document_id, (${score})::float8 as score from (
       select id, document_id, ${bind(chunks, 'float8')} as total${columns.map((column) => `, ${column}`).join('')}
       from (${matching}) matching
     ) measured`;
}
