import { randomUUID } from 'node:crypto';
import { createMemoryCache, createRedisCache, createTieredCache } from '@sluice/cache';
import { createPool, type Pool } from '@sluice/pool';
import { createSearch } from '@sluice/search';
import {
  bumpGeneration,
  type Collection,
  chunkId,
  copyChunks,
  createCatalog,
  createCollection,
  migrate,
} from '@sluice/store';

export const searched = { rows: 5_000, dimensions: 384, k: 10 };
const collectionName = 'searched';

/** A database of its own with a collection of random vectors behind HNSW. */
export async function createSearchedDatabase(serverUrl: string): Promise<string> {
  const url = new URL(serverUrl);
  {
    await using admin = createPool({ connectionString: serverUrl, size: 1, maxOverflow: 0 });
    await admin.query('drop database if exists searched with (force)');
    await admin.query('create database searched');
  }
  url.pathname = '/searched';
  await using pool = createPool({ connectionString: url.href });
  await migrate(pool);
  const collection = await pool.lane('control').transaction((transaction) =>
    createCollection(transaction, {
      name: collectionName,
      embeddingProvider: 'local',
      embeddingModel: 'local-ngram-v1',
      dimensions: searched.dimensions,
      distance: 'cosine',
      storage: 'vector',
      chunkMaxTokens: 100,
      chunkOverlapTokens: 0,
      language: 'simple',
    }),
  );
  await fill(pool, collection);
  return url.href;
}

async function fill(pool: Pool, { id: collectionId, storage }: Collection): Promise<void> {
  const documentId = randomUUID();
  const chunks = Array.from({ length: searched.rows }, (_, ordinal) => {
    const text = `${ordinal}: The tenderer shall submit the guarantee with the offer. `.repeat(5);
    return {
      id: chunkId(documentId, text, 0),
      ordinal,
      text,
      tokens: 60,
      page: null,
      headingPath: [],
      charStart: 0,
      charEnd: text.length,
      embedding: randomVector(),
    };
  });
  await pool.lane('bulk').transaction(async (transaction) => {
    await transaction.query(
      `insert into sluice.documents (id, collection_id, external_id, name, metadata)
       values ($1::uuid, $2::bigint, 'all', 'all', '{}')`,
      [documentId, collectionId],
    );
    await copyChunks(transaction, { id: collectionId, storage }, [{ documentId, metadata: {}, chunks }]);
    await bumpGeneration(transaction, collectionId);
  });
}

export function randomVector(): Float32Array {
  return Float32Array.from({ length: searched.dimensions }, () => Math.random() - 0.5);
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
    answers: { ttlMs: 3_600_000, staleMs: 0, shareWaitMs: 300 },
    // What pgvector has and the others use.
    unmeasuredEffort: 40,
    confirm: confirms ? catalog.confirm : undefined,
  });
  return {
    name,
    async search(query) {
      const collection = (await catalog.byName(collectionName)) as Collection;
      return search({ collection, query, k: searched.k });
    },
    async [Symbol.asyncDispose]() {
      await cache.close();
      await catalog[Symbol.asyncDispose]();
      await pool.drain();
    },
  };
}
