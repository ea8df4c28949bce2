import { randomUUID } from 'node:crypto';
import { createMemoryCache, createRedisCache, createTieredCache, type TieredCache } from '@sluice/cache';
import { createEmbedder, createLocalProvider, type Embedder } from '@sluice/embeddings';
import { createPool, type Pool, type Queryable } from '@sluice/pool';
import {
  bumpGeneration,
  type Catalog,
  type Collection,
  copyChunks,
  createCatalog,
  createCollection,
  deleteDocument,
} from '@sluice/store';
import { createTestDatabase } from '@sluice/testing';
import {
  type AnswerCacheOptions,
  createSearch,
  type SearchAnswer,
  type SearchDependencies,
  type SearchRequest,
} from '../../src/index.ts';
import { definitionOf, onlyChunk } from './small-collection.ts';

const dimensions = 64;
const provider = createLocalProvider({ dimensions });
const definition = definitionOf(dimensions);

export interface ReplicaOptions {
  redisUrl?: string;
  answers?: Partial<AnswerCacheOptions>;
  /** What its catalog reads through. Default: the pool of `Searched`. */
  pool?: Pool;
  /** Default true. */
  confirms?: boolean;
  confirmMs?: number;
}

/** One gateway's part in answering: caches and a catalog of its own, which hears of no write by itself. */
export interface Replica extends AsyncDisposable {
  catalog: Catalog;
  cache: TieredCache;
  /** Texts of statements that searched, and texts that were embedded. */
  statements: string[];
  embedded: string[];
  /** What would have ended each of the embeddings. */
  embeddingSignals: (AbortSignal | undefined)[];
  /** Awaited before each of them. To be replaced. */
  beforeStatement(): Promise<void>;
  beforeEmbedding(): Promise<void>;
  ask(request: Omit<SearchRequest, 'collection'>): Promise<SearchAnswer>;
}

export interface Searched extends AsyncDisposable {
  pool: Pool;
  databaseUrl: string;
  /** Anew, under the same name; for after it was deleted. */
  create(): Promise<Collection>;
  /** Replaces what the document says. */
  publish(externalId: string, text: string): Promise<void>;
  replica(options?: ReplicaOptions): Promise<Replica>;
}

/** A database with an empty collection, and as many replicas as a test wants. */
export async function startSearched(): Promise<Searched> {
  const database = await createTestDatabase();
  const pool = createPool({ connectionString: database.url, size: 6, maxOverflow: 0 });
  const documents = new Map<string, string>();
  let current: Collection | undefined;

  async function create(): Promise<Collection> {
    documents.clear();
    current = await pool
      .lane('control')
      .transaction((transaction) => createCollection(transaction, { name: 'test', ...definition }, 'none'));
    return current;
  }
  await create();

  async function publish(externalId: string, text: string): Promise<void> {
    const documentId = randomUUID();
    const chunk = await onlyChunk(provider, documentId, text);
    const { id: collectionId, storage } = current as Collection;
    await pool.lane('bulk').transaction(async (transaction) => {
      const previous = documents.get(externalId);
      if (previous) await deleteDocument(transaction, previous);
      await transaction.query(
        `insert into sluice.documents (id, collection_id, external_id, name, metadata)
         values ($1::uuid, $2::bigint, $3::text, $3::text, '{}')`,
        [documentId, collectionId, externalId],
      );
      await copyChunks(transaction, { id: collectionId, storage }, [
        { documentId, metadata: {}, chunks: [chunk] },
      ]);
      await bumpGeneration(transaction, collectionId);
    });
    documents.set(externalId, documentId);
  }

  async function replica(options: ReplicaOptions = {}): Promise<Replica> {
    const { redisUrl, confirms = true, confirmMs } = options;
    const far = redisUrl ? createRedisCache({ url: redisUrl }) : undefined;
    const cache = createTieredCache(createMemoryCache({ maxBytes: 10_000_000 }), far);
    const catalog = createCatalog(options.pool ?? pool, {
      changes: 3_600_000,
      ...(confirmMs && { confirmMs }),
    });
    const embedder = createEmbedder(provider, { maxWaitMs: 0, concurrency: 2, retries: 0 });
    await catalog.refresh();

    const self: Replica = {
      catalog,
      cache,
      statements: [],
      embedded: [],
      embeddingSignals: [],
      beforeStatement: async () => {},
      beforeEmbedding: async () => {},
      ask: async (request) =>
        search({ ...request, collection: (await catalog.byName('test')) as Collection }),
      async [Symbol.asyncDispose]() {
        await cache.close();
        await catalog[Symbol.asyncDispose]();
      },
    };
    const db: Queryable = {
      async query(text, values, queryOptions) {
        self.statements.push(text);
        await self.beforeStatement();
        return pool.lane('interactive').query(text, values, queryOptions);
      },
    };
    const counted: Embedder = {
      ...embedder,
      async embed(texts, embedOptions) {
        self.embedded.push(...texts);
        self.embeddingSignals.push(embedOptions.signal);
        const { promise: left, reject } = Promise.withResolvers<never>();
        embedOptions.signal?.addEventListener('abort', () => reject(embedOptions.signal?.reason));
        await Promise.race([self.beforeEmbedding(), left]);
        return embedder.embed(texts, embedOptions);
      },
    };
    const dependencies: SearchDependencies = {
      db,
      embedderFor: () => counted,
      cache,
      answers: { ttlMs: 60_000, staleMs: 0, shareWaitMs: 2_000, renewTimeoutMs: 10_000, ...options.answers },
      unmeasuredEffort: 100,
      confirm: confirms ? catalog.confirm : undefined,
    };
    const search = createSearch(dependencies);
    return self;
  }

  return {
    pool,
    databaseUrl: database.url,
    create,
    publish,
    replica,
    async [Symbol.asyncDispose]() {
      await pool.drain();
      await database[Symbol.asyncDispose]();
    },
  };
}
