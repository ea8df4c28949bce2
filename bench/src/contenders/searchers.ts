import { createMemoryCache, createRedisCache, createTieredCache } from '@sluice/cache';
import { createPool } from '@sluice/pool';
import { createSearch } from '@sluice/search';
import { type Collection, createCatalog } from '@sluice/store';
import { searchedCollection } from './searched-collection.ts';

const dimensions = 384;
const k = 10;

/** Random vectors behind HNSW. */
export const randomCollection = { database: 'searched', rows: 5_000, dimensions, nextVector: randomVector };

export function randomVector(): Float32Array {
  return Float32Array.from({ length: dimensions }, () => Math.random() - 0.5);
}

export interface Searcher extends AsyncDisposable {
  name: string;
  search(vector: Float32Array): Promise<unknown>;
}

/** As a gateway is wired. */
export async function createSearcher(
  name: string,
  connectionString: string,
  { redisUrl, confirms }: { redisUrl?: string; confirms: boolean },
): Promise<Searcher> {
  const pool = createPool({ connectionString, settings: { jit: 'off' } });
  const far = redisUrl ? createRedisCache({ url: redisUrl, prefix: `${name}:` }) : undefined;
  const cache = createTieredCache(createMemoryCache({ maxBytes: 64 * 1_048_576 }), far);
  const catalog = createCatalog(pool, { changes: 'listen' });
  const search = createSearch({
    db: pool.lane('interactive'),
    embedderFor: () => {
      throw new Error('vectors need no embedder');
    },
    cache,
    answers: { ttlMs: 3_600_000, staleMs: 0, shareWaitMs: 300, renewTimeoutMs: 10_000 },
    // What pgvector has and the others use.
    unmeasuredEffort: 40,
    confirm: confirms ? catalog.confirm : undefined,
  });
  return {
    name,
    async search(query) {
      const collection = (await catalog.byName(searchedCollection)) as Collection;
      return search({ collection, query, k });
    },
    async [Symbol.asyncDispose]() {
      await cache.close();
      await catalog[Symbol.asyncDispose]();
      await pool.drain();
    },
  };
}
