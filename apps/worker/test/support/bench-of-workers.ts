import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createUploadBatch } from '@sluice/ingestion';
import { createPool, type Pool } from '@sluice/pool';
import { createProducer, ingestUploadJob, type Producer } from '@sluice/queue';
import {
  type Collection,
  createCollection,
  findUploads,
  type NewCollection,
  type Upload,
} from '@sluice/store';
import { createTestDatabase, createTestRedis } from '@sluice/testing';

const local: NewCollection = {
  name: 'default',
  embeddingProvider: 'local',
  embeddingModel: 'local-ngram-v1',
  dimensions: 384,
  distance: 'cosine',
  storage: 'vector',
  chunkMaxTokens: 64,
  chunkOverlapTokens: 0,
  language: 'simple',
};

/** Postgres, Redis and a collection, with workers as processes that can be killed. */
export interface Bench extends AsyncDisposable {
  pool: Pool;
  producer: Producer;
  collection: Collection;
  redisUrl: string;
  /** For workers in this process. */
  environment: { DATABASE_URL: string; REDIS_URL: string };
  /** `fileName` says the format; default a text. */
  accept(externalId: string, content: string, fileName?: string, into?: Collection): Promise<Upload>;
  addCollection(definition: Partial<NewCollection>): Promise<Collection>;
  enqueue(uploads: readonly Upload[]): Promise<void>;
  startWorker(extra?: Record<string, string>): Promise<ChildProcess>;
  /** Resolves when all are final. */
  settled(ids: readonly string[], timeoutMs?: number): Promise<Upload[]>;
  /** Chunks of a document: how many rows, and how many places they take. */
  chunksOf(documentId: string): Promise<{ rows: number; places: number }>;
}

export async function startBench(definition: Partial<NewCollection> = {}): Promise<Bench> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const redis = stack.use(await createTestRedis());
  const pool = createPool({ connectionString: database.url, size: 4, maxOverflow: 4 });
  stack.defer(() => pool.drain());
  const producer = stack.use(createProducer({ kind: 'redis', url: redis.url }));
  const addCollection = (own: Partial<NewCollection>) =>
    pool.lane('control').transaction((transaction) => createCollection(transaction, { ...local, ...own }));
  const collection = await addCollection(definition);

  async function startWorker(extra: Record<string, string> = {}): Promise<ChildProcess> {
    const child = fork(fileURLToPath(new URL('worker-process.ts', import.meta.url)), {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        LOG_LEVEL: 'silent',
        QUEUE_LOCK_SECONDS: '2',
        RECONCILE_SECONDS: '1',
        ...extra,
      },
    });
    stack.defer(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    await once(child, 'message');
    return child;
  }

  return {
    pool,
    producer,
    collection,
    redisUrl: redis.url,
    environment: { DATABASE_URL: database.url, REDIS_URL: redis.url },
    startWorker,
    addCollection,
    async accept(externalId, content, fileName = `${externalId}.txt`, into = collection) {
      await using batch = createUploadBatch({
        db: pool.lane('interactive'),
        maxBytes: 100_000_000,
        requestId: null,
      });
      async function* bytes() {
        yield Buffer.from(content);
      }
      await batch.receive({
        collection: into,
        fileName,
        mediaType: undefined,
        externalId,
        name: undefined,
        metadata: {},
        chunking: undefined,
        priority: 'normal',
        bytes: bytes(),
      });
      return (await batch.accept()).uploads[0] as Upload;
    },
    async enqueue(uploads) {
      await producer.enqueueMany(
        ingestUploadJob,
        uploads.map(({ id, turn }) => ({ jobId: id, payload: { uploadId: id }, priority: turn as number })),
      );
    },
    async settled(ids, timeoutMs = 60_000) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const uploads = await findUploads(pool, ids);
        const open = uploads.filter(({ state }) => state === 'queued' || state === 'processing');
        if (open.length === 0) return uploads;
        if (Date.now() > deadline)
          throw new Error(`${open.length} of ${ids.length} uploads did not end: ${JSON.stringify(open[0])}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async chunksOf(documentId) {
      const { rows } = await pool.query<{ rows: number; places: number }>(
        `select count(*) as rows, count(distinct ordinal) as places from sluice.chunks_${collection.id} where document_id = $1::uuid`,
        [documentId],
      );
      return rows[0] as { rows: number; places: number };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** `sentences` different sentences. */
export function longText(sentences: number, subject = 'procedure'): string {
  return Array.from(
    { length: sentences },
    (_, i) => `Sentence ${i} of the ${subject} names the number ${i * 7919}.`,
  ).join('\n\n');
}
