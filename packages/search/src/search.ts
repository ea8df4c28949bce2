import { getVector, setVector, type TieredCache } from '@sluice/cache';
import type { Embedder } from '@sluice/embeddings';
import type { Queryable } from '@sluice/pool';
import type { Collection } from '@sluice/store';
import { type AnswerCacheOptions, type AnswerSource, createAnswerCache } from './answer-cache.ts';
import { cacheKey } from './cache-key.ts';
import { type ChunkQuestion, createChunkFinder, type FoundChunks } from './find-chunks.ts';
import { createWordFinder, type WordSearch } from './find-words.ts';
import { createSingleFlight } from './single-flight.ts';

export interface SearchRequest extends Omit<ChunkQuestion, 'vector'> {
  collection: Collection;
  /** Text, embedded by the collection's model, or a vector of its dimensions. */
  query: string | Float32Array;
  /** Search by the words of the text, alone or beside its vector. */
  words?: WordSearch | undefined;
}

export interface SearchAnswer extends FoundChunks {
  /**
   * - `none`: this query ran.
   * - `memory`, `redis`: where the answer was found.
   * - `shared`: an identical query, here or in another process, was under way, and its answer serves both.
   * - `stale`: found past its time; nothing was written since, and it is being made anew.
   */
  cached: Exclude<AnswerSource, 'run'> | 'none';
  /** False: the database has not confirmed that nothing was written since the answer was made. */
  confirmed: boolean;
  /** As it was searched: its contents were those of `generation`, or later ones. */
  collection: Collection;
  generation: number;
  /** ms */
  timings: { embed: number; search: number; total: number };
}

export interface SearchDependencies {
  /** The interactive lane. */
  db: Queryable;
  embedderFor: (collection: Collection) => Embedder;
  cache: TieredCache;
  answers: AnswerCacheOptions;
  /**
   * The collection as it stands after the call, or undefined when the database does not say so in time. Without it the
   * generation of the request's collection is taken for the newest one.
   */
  confirm?: ((collection: Collection) => Promise<Collection | undefined>) | undefined;
  /** `db` may show an older state than the newest unless it is told a position: confirm also before a search. */
  readsStandbys?: boolean;
}

type Confirmed = Omit<SearchAnswer, 'timings'> & { timings: Omit<SearchAnswer['timings'], 'total'> };
type Found = Omit<Confirmed, 'confirmed'>;

export type Search = (request: SearchRequest) => Promise<SearchAnswer>;

// A text's vector never changes for a model, so it may outlive any answer.
const vectorTtlMs = 24 * 3_600_000;
/** Of what is cached for an answer: to be raised with every change of its shape. */
const answerShape = 4;

/** A vector may be a view of a larger buffer. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function answerKey({ collection, query, ...question }: SearchRequest): string {
  // The time tells collections apart that have the same id in different databases with one Redis.
  const { id, createdAt, generation } = collection;
  const asked = typeof query === 'string' ? query : bytesOf(query).toString('base64');
  const contents = [answerShape, id, createdAt.getTime(), generation];
  return cacheKey('answer', ...contents, asked, typeof query, question);
}

/**
 * Answers queries. An answer is cached under the generation of the collection, so that every write makes older answers
 * unreachable; identical queries at the same time are answered by one. Whatever this query has not run itself is given only when
 * the generation is confirmed to be the newest. Throws `StoreError` (`wrong_vector_length`, `collection_not_found`) and
 * `EmbeddingError`.
 */
export function createSearch(dependencies: SearchDependencies): Search {
  const { db, embedderFor, cache, confirm, readsStandbys = false } = dependencies;
  const findChunks = createChunkFinder(db);
  const findWords = createWordFinder(db);
  const vectors = createSingleFlight<Float32Array>();
  const flights = createSingleFlight<{ value: FoundChunks; source: AnswerSource }>();
  const findOrRun = createAnswerCache<FoundChunks>(cache, dependencies.answers);

  async function vectorOf(collection: Collection, text: string): Promise<Float32Array> {
    const { embeddingProvider, embeddingModel, dimensions } = collection;
    const key = cacheKey('vector', embeddingProvider, embeddingModel, dimensions, text);
    const { value } = await vectors(key, async () => {
      const known = await getVector(cache, key, dimensions);
      if (known) return known;
      const [vector] = await embedderFor(collection).embed([text], { purpose: 'query' });
      void setVector(cache, key, vector as Float32Array, { ttlMs: vectorTtlMs });
      return vector as Float32Array;
    });
    return value;
  }

  async function find(request: SearchRequest): Promise<Found> {
    const timings = { embed: 0, search: 0 };
    const { collection, query, words, ...question } = request;
    async function run(): Promise<FoundChunks> {
      const start = performance.now();
      if (words && typeof query === 'string') {
        const vector = words.mode === 'hybrid' ? await vectorOf(collection, query) : undefined;
        const embedded = performance.now();
        const found = await findWords(collection, { ...question, text: query, words, vector });
        Object.assign(timings, { embed: embedded - start, search: performance.now() - embedded });
        return found;
      }
      const vector = typeof query === 'string' ? await vectorOf(collection, query) : query;
      const embedded = performance.now();
      const found = await findChunks(collection, { ...question, vector });
      Object.assign(timings, { embed: embedded - start, search: performance.now() - embedded });
      return found;
    }
    const about = { collection, generation: collection.generation };
    // Who wants an explanation wants to see it happen.
    if (question.explain) return { ...(await run()), cached: 'none', ...about, timings };
    const key = answerKey(request);
    const { value: found, joined } = await flights(key, () => findOrRun(key, run));
    const ran = joined ? 'shared' : 'none';
    const cached = found.source === 'run' ? ran : found.source;
    return { ...found.value, cached, ...about, timings: { ...timings } };
  }

  /** Of what was known before: whatever was found for it may be from before a write that the caller knows of. */
  async function findConfirmed(request: SearchRequest): Promise<Confirmed> {
    const found = await find(request);
    // What ran after the query had come has seen all that was written before.
    if (found.cached === 'none') return { ...found, confirmed: true };
    const current = await confirm?.(request.collection);
    if (!current) return { ...found, confirmed: false };
    if (current.id === request.collection.id && current.generation === found.generation) {
      return { ...found, confirmed: true };
    }
    return { ...(await find({ ...request, collection: { ...current } })), confirmed: true };
  }

  /** Finds for a generation that was the newest one after the query had come: anything found for it will do. */
  async function confirmFirst(request: SearchRequest): Promise<Confirmed> {
    const current = await confirm?.(request.collection);
    const collection = { ...(current ?? request.collection) };
    return { ...(await find({ ...request, collection })), confirmed: current !== undefined };
  }

  return async (request) => {
    const start = performance.now();
    // A copy, since its owner keeps the generation up to date: the entry has to have the one from before the search.
    const asked = { ...request, collection: { ...request.collection } };
    const { timings, ...answer } = await (readsStandbys ? confirmFirst(asked) : findConfirmed(asked));
    return { ...answer, timings: { ...timings, total: performance.now() - start } };
  };
}
