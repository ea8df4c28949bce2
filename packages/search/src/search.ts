import { createHash } from 'node:crypto';
import { type Cache, getJson, getVector, setJson, setVector } from '@sluice/cache';
import type { Embedder } from '@sluice/embeddings';
import type { Queryable } from '@sluice/pool';
import type { Collection } from '@sluice/store';
import { type ChunkQuestion, createChunkFinder, type FoundChunks } from './find-chunks.ts';
import { createSingleFlight } from './single-flight.ts';

export interface SearchRequest extends Omit<ChunkQuestion, 'vector'> {
  collection: Collection;
  /** Text, embedded by the collection's model, or a vector of its dimensions. */
  query: string | Float32Array;
}

export interface SearchAnswer extends FoundChunks {
  cached: 'none' | 'result';
  /** Of the collection's contents that were searched. */
  generation: number;
  /** ms */
  timings: { embed: number; search: number; total: number };
}

export interface SearchDependencies {
  /** The interactive lane. */
  db: Queryable;
  embedderFor: (collection: Collection) => Embedder;
  cache: Cache;
  cacheTtlMs: number;
}

export type Search = (request: SearchRequest) => Promise<SearchAnswer>;

// A text's vector never changes for a model, so it may outlive any answer.
const vectorTtlMs = 24 * 3_600_000;

/** The same request always gives the same text, whatever the order of an object's members. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  // Stays an object: {"a":1} and [["a",1]] are different filters.
  const members = Object.entries(value).map(([key, member]) => [key, canonical(member)] as const);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A vector may be a view of a larger buffer. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function keyOf(kind: string, ...parts: unknown[]): string {
  return `${kind}:${createHash('sha256')
    .update(JSON.stringify(parts.map(canonical)))
    .digest('base64url')}`;
}

/**
 * Answers queries. An answer is cached under the generation of the collection, so that every write makes older answers
 * unreachable; identical queries at the same time are answered by one. Throws `StoreError` (`wrong_vector_length`) and
 * `EmbeddingError`.
 */
export function createSearch({ db, embedderFor, cache, cacheTtlMs }: SearchDependencies): Search {
  const find = createChunkFinder(db);
  const vectors = createSingleFlight<Float32Array>();
  const answers = createSingleFlight<Omit<SearchAnswer, 'timings'> & { embed: number; search: number }>();

  function vectorOf(collection: Collection, text: string): Promise<Float32Array> {
    const { embeddingProvider, embeddingModel, dimensions } = collection;
    const key = keyOf('vector', embeddingProvider, embeddingModel, dimensions, text);
    return vectors(key, async () => {
      const known = await getVector(cache, key, dimensions);
      if (known) return known;
      const [vector] = await embedderFor(collection).embed([text], { purpose: 'query' });
      await setVector(cache, key, vector as Float32Array, { ttlMs: vectorTtlMs });
      return vector as Float32Array;
    });
  }

  async function answer(request: SearchRequest, generation: number, key: string) {
    const { collection, query, ...question } = request;
    // Who wants an explanation wants to see it happen.
    const known = question.explain ? undefined : await getJson(cache, key, (value) => value as FoundChunks);
    if (known) return { ...known, cached: 'result' as const, generation, embed: 0, search: 0 };
    const start = performance.now();
    const vector = typeof query === 'string' ? await vectorOf(collection, query) : query;
    const embedded = performance.now();
    const found = await find(collection, { ...question, vector });
    const search = performance.now() - embedded;
    if (!question.explain) await setJson(cache, key, found, { ttlMs: cacheTtlMs });
    return { ...found, cached: 'none' as const, generation, embed: embedded - start, search };
  }

  return async (request) => {
    const start = performance.now();
    const { collection, query, ...question } = request;
    // Read before the search: a write in between makes the entry one that nobody asks for any more.
    const { id, generation } = collection;
    const asked = typeof query === 'string' ? query : bytesOf(query).toString('base64');
    const key = keyOf('found', id, generation, asked, typeof query, question);
    const { embed, search, ...found } = await answers(key, () => answer(request, generation, key));
    return { ...found, timings: { embed, search, total: performance.now() - start } };
  };
}
