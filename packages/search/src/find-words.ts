import type { Queryable } from '@sluice/pool';
import {
  type Access,
  type Collection,
  compileTextQuery,
  explainWords,
  languageOf,
  parseTextQuery,
  type RankedChunkQuery,
  readWordStatistics,
  searchWords,
  type WordStatistics,
} from '@sluice/store';
import { type AccessChoice, createAccessChooser } from './access.ts';
import { SearchError } from './errors.ts';
import type { ChunkQuestion, FoundChunks, IndexUsed } from './find-chunks.ts';
import { createSingleFlight } from './single-flight.ts';
import { withSignal } from './with-signal.ts';

/** By words, or by words and a vector. */
export interface WordSearch {
  mode: 'text' | 'hybrid';
  vectorWeight: number;
  textWeight: number;
  /** How many of each list are fused: the same for each page of an answer. */
  candidates: number;
}

export interface WordQuestion extends Omit<ChunkQuestion, 'vector'> {
  text: string;
  words: WordSearch;
  /** Of the text, in mode hybrid. */
  vector: Float32Array | undefined;
}

/** When `signal` is aborted, its statements end on the server. */
export type WordFinder = (
  collection: Collection,
  question: WordQuestion,
  signal?: AbortSignal,
) => Promise<FoundChunks>;

const statisticsKeptMs = 60_000;

function createStatistics(db: Queryable): (collection: Collection) => Promise<WordStatistics> {
  const flights = createSingleFlight<WordStatistics>();
  const kept = new Map<number, { statistics: WordStatistics; until: number }>();
  return async ({ id }) => {
    const known = kept.get(id);
    if (known && known.until > performance.now()) return known.statistics;
    const { value } = await flights(String(id), async () => {
      const statistics = await readWordStatistics(db, id);
      kept.set(id, { statistics, until: performance.now() + statisticsKeptMs });
      return statistics;
    });
    return value;
  };
}

function requireWords({ name, textIndex }: Collection): void {
  if (textIndex !== 'off' && textIndex !== 'filling') return;
  const detail =
    textIndex === 'off'
      ? 'has no text search: turn it on by PATCH with {"text_search": true}, or use mode vector'
      : 'does not have the words of all its chunks yet: they are being made, try again later, or use mode vector';
  throw new SearchError('text_search_unavailable', `collection ${name} ${detail}`, {
    collection: name,
    text_index: textIndex,
  });
}

function wayOf(access: Access | undefined, filtered: boolean): IndexUsed {
  if (access === 'index') return 'hnsw';
  return filtered ? 'filter' : 'exact';
}

/** The best chunks by their words, or by words and vector, in one statement. Throws `text_search_unavailable`. */
export function createWordFinder(lane: Queryable): WordFinder {
  const chooser = createAccessChooser(lane);
  const statisticsOf = createStatistics(lane);

  async function choose(
    collection: Collection,
    { goOn, filter, words, effort }: WordQuestion,
    signal: AbortSignal | undefined,
  ): Promise<AccessChoice> {
    if (goOn) return { access: goOn.index === 'hnsw' ? 'index' : 'scan', effort };
    return chooser.choose(collection, filter, { k: words.candidates, effort }, signal);
  }

  return async (collection, question, signal) => {
    requireWords(collection);
    const db = withSignal(lane, signal);
    const start = performance.now();
    const { text, words, vector, k, offset = 0, filter, context, maxPerDocument } = question;
    const [statistics, choice] = await Promise.all([
      statisticsOf(collection),
      vector && choose(collection, question, signal),
    ]);
    const combination = words.mode === 'text' ? 'all' : 'any';
    const language = languageOf(collection.language);
    const query: RankedChunkQuery = {
      ...compileTextQuery(parseTextQuery(text), language, combination, statistics),
      chunks: statistics.chunks,
      filter,
      limit: offset + k,
      offset,
      context,
      mostPerDocument: maxPerDocument,
      hybrid: vector && choice && { ...words, vector, access: choice.access, effort: choice.effort },
    };
    const chosen = performance.now();
    const hits = await searchWords(db, collection, query);
    const searchMs = performance.now() - chosen;
    const textIndex = collection.textIndex === 'gin' ? 'gin' : 'exact';
    const index = vector ? wayOf(choice?.access, filter !== undefined) : textIndex;
    const effort = choice?.access === 'index' ? choice.effort : null;
    if (!question.explain) return { hits, index, effort, textIndex };
    const plan = await explainWords(db, collection, query);
    const explanation = { plan, effort, estimateMs: chosen - start, searchMs, statements: 1 };
    return { hits, index, effort, textIndex, explanation };
  };
}
