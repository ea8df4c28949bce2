import { fileURLToPath } from 'node:url';
import { createPool, type Pool } from '@sluice/pool';
import { createProducer, migrateQueue, type Producer, type QueueBackend } from '@sluice/queue';
import { type Collection, createCollection, migrate } from '@sluice/store';
import {
  createRandom,
  type EmbeddingsServer,
  freePort,
  type RunningService,
  startEmbeddingsServer,
  startPostgres,
  startRedis,
} from '@sluice/testing';
import type { CollectionName } from './corpus/corpus.ts';

export const modes = ['services', 'postgres-only'] as const;
export type Mode = (typeof modes)[number];

/** Servers of the run's own, ready for gateways and workers. */
export interface Services extends AsyncDisposable {
  mode: Mode;
  postgres: RunningService;
  redis: RunningService | undefined;
  embeddings: EmbeddingsServer;
  /** Of the run itself: to look, not to work. */
  pool: Pool;
  producer: Producer;
  collections: Record<CollectionName, Collection>;
  gatewayUrl: string;
  /** Of gateway and workers. */
  environment: Record<string, string>;
}

// Small vectors: what is under test is which rows there are, not how fast an index takes them.
const dimensions = 64;
const windowChunks = 64;
const model = 'fake';
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/sluice-chaos', import.meta.url));

export async function startServices(mode: Mode, seed: number): Promise<Services> {
  await using starting = new AsyncDisposableStack();
  const postgres = starting.use(await startPostgres());
  const redis = mode === 'services' ? starting.use(await startRedis()) : undefined;
  const embeddings = starting.use(await startEmbeddingsServer({ dimensions }));
  failAtRandom(embeddings, seed);
  const pool = createPool({ connectionString: postgres.url, size: 4, maxOverflow: 2 });
  starting.defer(() => pool.drain());
  await migrate(pool);
  const backend = await prepareQueue(postgres, redis);
  // It hears of every restart; what matters is what it answers when it is asked.
  const producer = starting.use(createProducer(backend, { onError: () => {} }));
  const collections = await createCollections(pool);
  const port = await freePort();
  const stack = starting.move();
  return {
    mode,
    postgres,
    redis,
    embeddings,
    pool,
    producer,
    collections,
    gatewayUrl: `http://127.0.0.1:${port}`,
    environment: {
      PORT: String(port),
      DATABASE_URL: postgres.url,
      ...(redis && { REDIS_URL: redis.url }),
      OPENAI_API_KEY: 'any',
      OPENAI_BASE_URL: embeddings.baseUrl,
      DB_POOL_SIZE: '8',
      DB_MAX_OVERFLOW: '4',
      QUEUE_LOCK_SECONDS: '2',
      RECONCILE_SECONDS: '1',
      INSERT_BATCH_ROWS: String(windowChunks),
      UPLOAD_TIMEOUT_SECONDS: '10',
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'json',
      // Most of a start is compiling; all of them, and those of the next run, share it.
      NODE_COMPILE_CACHE: compileCache,
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function prepareQueue(
  postgres: RunningService,
  redis: RunningService | undefined,
): Promise<QueueBackend> {
  if (redis) return { kind: 'redis', url: redis.url };
  const backend = { kind: 'postgres', connectionString: postgres.url } as const;
  await migrateQueue(backend);
  return backend;
}

async function createCollections(pool: Pool): Promise<Record<CollectionName, Collection>> {
  const create = (name: CollectionName, embeddingProvider: string, embeddingModel: string) =>
    pool.lane('control').transaction((transaction) =>
      createCollection(transaction, {
        name,
        embeddingProvider,
        embeddingModel,
        dimensions,
        distance: 'cosine',
        storage: 'vector',
        chunkMaxTokens: 48,
        // A sentence of ours then stands in exactly one chunk.
        chunkOverlapTokens: 0,
        language: 'simple',
      }),
    );
  return {
    plain: await create('plain', 'local', 'local-ngram-v1'),
    remote: await create('remote', 'openai', model),
  };
}

function failAtRandom(server: EmbeddingsServer, seed: number): void {
  const random = createRandom(seed, 'embeddings server');
  server.failWhen(() => {
    if (!random.chance(0.15)) return undefined;
    return random.pick([
      { kind: 'status', status: 429, retryAfter: '1' },
      { kind: 'status', status: 500 },
      { kind: 'slow', ms: 700 },
      { kind: 'cut' },
      { kind: 'refuse' },
    ] as const);
  });
}
