import { getVector, setVector, type TieredCache } from '@sluice/cache';
import type { Embedder } from '@sluice/embeddings';
import { isTransient, PoolError, type Queryable } from '@sluice/pool';
import type { Collection } from '@sluice/store';
import { type AnswerCacheOptions, type AnswerSource, createAnswerCache } from './answer-cache.ts';
import { cacheKey } from './cache-key.ts';
import type { Degradation } from './degradation.ts';
import { effortOf, maxEffort } from './effort.ts';
import { createQueryEmbedder } from './embedding-line.ts';
import {
  type ChunkFinderOptions,
  type ChunkQuestion,
  createChunkFinder,
  type FoundChunks,
} from './find-chunks.ts';
import { createWordFinder, type WordSearch } from './find-words.ts';
import { createKeptAnswers } from './kept-answers.ts';
import type { PressureLevel } from './pressure.ts';
import { createSingleFlight } from './single-flight.ts';
import { untilAborted } from './until-aborted.ts';

export interface SearchRequest extends Omit<ChunkQuestion, 'vector' | 'effort'> {
  collection: Collection;
  /** Text, embedded by the collection's model, or a vector of its dimensions. */
  query: string | Float32Array;
  /**
   * When it is aborted, the search rejects at once with its reason. What runs for it ends, also on the server, unless others
   * wait for the same.
   */
  signal?: AbortSignal | undefined;
  /** Oldest answer to give while the database does not answer, in ms. Default and most: `staleIfErrorMs`. */
  maxStaleMs?: number | undefined;
  /** Search by the words of the text, alone or beside its vector. */
  words?: WordSearch | undefined;
}

/** What is cached. */
interface FoundAnswer extends FoundChunks {
  /** What was given up; empty as a rule. */
  degraded: Degradation[];
}

export interface SearchAnswer extends FoundAnswer {
  /**
   * - `none`: this query ran.
   * - `memory`, `redis`: where the answer was found.
   * - `shared`: an identical query, here or in another process, was under way, and its answer serves both.
   * - `stale`: found past its time; nothing was written since, and it is being made anew. With a degradation `stale_answer`:
   *   the database does not answer, and nobody knows what was written since.
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

export interface SearchDependencies extends ChunkFinderOptions {
  /** The interactive lane. */
  db: Queryable;
  embedderFor: (collection: Collection) => Embedder;
  cache: TieredCache;
  answers: AnswerCacheOptions;
  /** Effort (`hnsw.ef_search`) in collections whose recall was not measured yet. */
  unmeasuredEffort: number;
  /**
   * The collection as it stands after the call, or undefined when the database does not say so in time. Without it the
   * generation of the request's collection is taken for the newest one.
   */
  confirm?: ((collection: Collection) => Promise<Collection | undefined>) | undefined;
  /** Steps down from the usual effort, now. Default: none ever. */
  pressure?: () => PressureLevel;
  /** Most texts of queries that are being embedded or wait for it, by model; one more is refused. Default 2 000. */
  maxEmbedding?: number;
  /** How long answers are kept for when the database does not answer, in ms. Default 0: none are given then. */
  staleIfErrorMs?: number;
  /** `db` may show an older state than the newest unless it is told a position: confirm also before a search. */
  readsStandbys?: boolean;
}

type Confirmed = Omit<SearchAnswer, 'timings'> & { timings: Omit<SearchAnswer['timings'], 'total'> };
type Found = Omit<Confirmed, 'confirmed'>;

export type Search = (request: SearchRequest) => Promise<SearchAnswer>;

// A text's vector never changes for a model, so it may outlive any answer.
const vectorTtlMs = 24 * 3_600_000;
// Texts have up to 8 192 characters: some 30 MB at most.
const defaultMaxEmbedding = 2_000;
/** Of what is cached for an answer: to be raised with every change of its shape. */
const answerShape = 6;

/** A vector may be a view of a larger buffer. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Of a question to what a collection contained at a generation, or at any. */
function keyOf(kind: 'answer' | 'kept', request: SearchRequest, generation?: number): string {
  const { collection, query, signal: _, maxStaleMs: __, ...question } = request;
  // The time tells collections apart that have the same id in different databases with one Redis.
  const contents = [
    answerShape,
    collection.id,
    collection.createdAt.getTime(),
    generation,
    collection.effort,
  ];
  const asked = typeof query === 'string' ? query : bytesOf(query).toString('base64');
  return cacheKey(kind, ...contents, asked, typeof query, question);
}

/** Not that it has too much to do: then answers that are old would keep nobody from asking. */
function isAway(error: unknown): boolean {
  return isTransient(error) && !(error instanceof PoolError && error.code === 'overloaded');
}

/**
 * Answers queries. An answer is cached under the generation of the collection, so that every write makes older answers
 * unreachable; identical queries at the same time are answered by one. Whatever this query has not run itself is given only when
 * the generation is confirmed to be the newest. Throws `StoreError` (`wrong_vector_length`, `collection_not_found`),
 * `SearchError` (`overloaded`), `EmbeddingError`, and the reason of the request's signal.
 */
export function createSearch(dependencies: SearchDependencies): Search {
  const {
    db,
    embedderFor,
    cache,
    confirm,
    unmeasuredEffort,
    pressure = () => 0,
    staleIfErrorMs = 0,
    readsStandbys = false,
  } = dependencies;
  const findChunks = createChunkFinder(db, dependencies);
  const findWords = createWordFinder(db);
  const vectors = createSingleFlight<Float32Array>();
  const embed = createQueryEmbedder(dependencies.maxEmbedding ?? defaultMaxEmbedding);
  const flights = createSingleFlight<{ value: FoundAnswer; source: AnswerSource }>();
  const findOrRun = createAnswerCache<FoundAnswer>(cache, dependencies.answers, {
    isMakeshift: ({ degraded }) => degraded.length > 0,
    mayRenew: () => pressure() === 0,
  });
  const kept = createKeptAnswers<FoundAnswer>(cache, staleIfErrorMs);

  async function vectorOf(
    collection: Collection,
    text: string,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const { embeddingProvider, embeddingModel, dimensions } = collection;
    const key = cacheKey('vector', embeddingProvider, embeddingModel, dimensions, text);
    const embedded = async (shared: AbortSignal) => {
      const known = await getVector(cache, key, dimensions);
      if (known) return known;
      const vector = await embed(embedderFor(collection))(text, shared);
      void setVector(cache, key, vector, { ttlMs: vectorTtlMs });
      return vector;
    };
    const { value } = await vectors(key, embedded, signal);
    return value;
  }

  async function findWithinReach(
    collection: Collection,
    { k, offset, goOn }: Pick<ChunkQuestion, 'k' | 'offset' | 'goOn'>,
    findAt: (effort: number) => Promise<FoundChunks>,
  ): Promise<FoundAnswer> {
    const options = { unmeasured: unmeasuredEffort, level: pressure() };
    const { effort, usual } = effortOf(collection, { k, offset, goOn }, options);
    const found = await findAt(effort);
    // Where all vectors are compared, or words alone, there is no effort to lower.
    if (effort >= usual || found.effort === null) return { ...found, degraded: [] };
    // A filter has made more of it.
    const unlowered = Math.min(maxEffort, Math.round((usual * found.effort) / effort));
    if (found.effort >= unlowered) return { ...found, degraded: [] };
    const detail = `many searches wait, so that hnsw.ef_search was ${found.effort} in place of ${unlowered}`;
    return { ...found, degraded: [{ code: 'effort_lowered', detail }] };
  }

  async function find(request: SearchRequest): Promise<Found> {
    const timings = { embed: 0, search: 0 };
    const { collection, query, words, signal, maxStaleMs: _, ...question } = request;
    async function run(shared?: AbortSignal): Promise<FoundAnswer> {
      const start = performance.now();
      const text = typeof query === 'string' ? query : undefined;
      const needsVector = text !== undefined && words?.mode !== 'text';
      const vector = needsVector ? await vectorOf(collection, text, shared) : query;
      const embedded = performance.now();
      const found = await findWithinReach(collection, question, (effort) => {
        const asked = { ...question, effort };
        if (!words || text === undefined)
          return findChunks(collection, { ...asked, vector: vector as Float32Array }, shared);
        const hybrid = typeof vector === 'string' ? undefined : vector;
        return findWords(collection, { ...asked, text, words, vector: hybrid }, shared);
      });
      Object.assign(timings, { embed: embedded - start, search: performance.now() - embedded });
      return found;
    }
    const about = { collection, generation: collection.generation };
    // Who wants an explanation wants to see it happen.
    if (question.explain) return { ...(await run(signal)), cached: 'none', ...about, timings };
    const key = keyOf('answer', request, collection.generation);
    const runAndKeep = async (shared: AbortSignal) => {
      const found = await run(shared);
      kept.keep(keyOf('kept', request), found, collection.generation);
      return found;
    };
    const work = (shared: AbortSignal) => findOrRun(key, runAndKeep, shared);
    const { value: found, joined } = await flights(key, work, signal);
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

  /** What the database said some time ago, if it does not answer now and the request allows that. */
  async function findKept(request: SearchRequest, error: unknown): Promise<Confirmed> {
    const { collection, maxStaleMs = staleIfErrorMs } = request;
    const found = isAway(error) && (await kept.find(keyOf('kept', request), maxStaleMs));
    if (!found) throw error;
    const { value, generation, ageMs } = found;
    const detail = `the database does not answer; this is its answer of ${Math.round(ageMs / 1_000)} s ago, and what was written since is not in it`;
    const degraded: Degradation[] = [...value.degraded, { code: 'stale_answer', detail }];
    const timings = { embed: 0, search: 0 };
    return { ...value, degraded, cached: 'stale', confirmed: false, collection, generation, timings };
  }

  return async (request) => {
    const start = performance.now();
    // A copy, since its owner keeps the generation up to date: the entry has to have the one from before the search.
    const asked = { ...request, collection: { ...request.collection } };
    const answering = (readsStandbys ? confirmFirst(asked) : findConfirmed(asked)).catch((error) =>
      findKept(asked, error),
    );
    const { timings, ...answer } = await untilAborted(request.signal, answering);
    return { ...answer, timings: { ...timings, total: performance.now() - start } };
  };
}
