import { Readable } from 'node:stream';
import { createExtractor } from '@sluice/extraction';
import { createPool, type Pool } from '@sluice/pool';
import { createPostgresProgress } from '@sluice/progress';
import { type Collection, createCollection, findUploads, listCollections, type Upload } from '@sluice/store';
import { createTestDatabase, type EmbeddingsServer, startEmbeddingsServer } from '@sluice/testing';
import {
  createEmbedders,
  createPublisher,
  createUploadBatch,
  type IngestionDependencies,
  type IngestOutcome,
  ingestUpload,
} from '../../src/index.ts';

export interface StoredChunk extends Record<string, unknown> {
  id: string;
  ordinal: number;
  text: string;
  /** As text, to be compared. */
  embedding: string;
  metadata: Record<string, unknown>;
}

/** All that ingestion needs: a database, a collection, an extractor, and a provider that counts its requests. */
export interface Workshop extends AsyncDisposable {
  /** Of the database. */
  url: string;
  pool: Pool;
  collection: Collection;
  provider: EmbeddingsServer;
  dependencies: IngestionDependencies;
  accept(externalId: string, text: string, metadata?: Record<string, unknown>): Promise<Upload>;
  /** One attempt, with windows of `windowChunks` where given. */
  ingest(
    id: string,
    options?: { windowChunks?: number; signal?: AbortSignal; lastAttempt?: boolean; mayPutOff?: boolean },
  ): Promise<IngestOutcome>;
  status(id: string): Promise<Upload>;
  /** Of all documents of the collection, in order of place. */
  chunks(): Promise<StoredChunk[]>;
  stagedCount(): Promise<number>;
}

export async function openWorkshop(): Promise<Workshop> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const provider = stack.use(await startEmbeddingsServer({ dimensions: 8 }));
  const pool = stack.use(createPool({ connectionString: database.url, size: 6, maxOverflow: 0 }));
  await pool.lane('control').transaction((transaction) =>
    createCollection(transaction, {
      name: 'test',
      embeddingProvider: 'openai',
      embeddingModel: 'test-model',
      dimensions: 8,
      distance: 'cosine',
      storage: 'vector',
      chunkMaxTokens: 32,
      chunkOverlapTokens: 0,
      language: 'simple',
    }),
  );
  const collection = (await listCollections(pool))[0] as Collection;
  const embedders = stack.use(
    createEmbedders({
      openAi: { apiKey: 'sk-test', baseUrl: provider.baseUrl },
      onnx: undefined,
      timeoutMs: 10_000,
      maxTexts: 64,
      maxTokens: 100_000,
      concurrency: 4,
      requestsPerMinute: undefined,
      tokensPerMinute: undefined,
    }),
  );
  const extractor = createExtractor({
    threads: 2,
    memoryMb: 256,
    timeoutMs: 20_000,
    maxExpandedBytes: 10_000_000,
  });
  stack.defer(() => extractor.close());
  // Attempts that lost their upload shall get as far as they can, so they neither look nor write.
  const quietMs = 60_000;
  const dependencies: IngestionDependencies = {
    pool,
    collectionById: async (id) => (await listCollections(pool)).find((one) => one.id === id),
    embedders,
    extractor,
    publisher: createPublisher({ db: pool.lane('bulk') }),
    windowChunks: 1_000,
    progressChannel: stack.use(createPostgresProgress({ db: pool, pollMs: quietMs })),
    progressIntervalMs: quietMs,
  };

  return {
    url: database.url,
    pool,
    collection,
    provider,
    dependencies,
    async accept(externalId, text, metadata = {}) {
      await using batch = createUploadBatch({ db: pool.lane('bulk'), maxBytes: 10_000_000, requestId: null });
      await batch.receive({
        collection,
        fileName: `${externalId}.txt`,
        mediaType: undefined,
        externalId,
        name: undefined,
        metadata,
        chunking: undefined,
        priority: 'normal',
        bytes: Readable.from([Buffer.from(text)]),
      });
      return (await batch.accept()).uploads[0] as Upload;
    },
    async ingest(
      id,
      { windowChunks, signal = new AbortController().signal, lastAttempt = false, mayPutOff = false } = {},
    ) {
      const { outcome } = await ingestUpload({ ...dependencies, ...(windowChunks && { windowChunks }) }, id, {
        signal,
        lastAttempt,
        mayPutOff,
      });
      return outcome;
    },
    status: async (id) => (await findUploads(pool, [id]))[0] as Upload,
    async chunks() {
      const { rows } = await pool.query<StoredChunk>(
        `select id, ordinal, text, embedding::text as embedding, metadata from sluice.chunks_${collection.id} order by ordinal`,
      );
      return rows;
    },
    async stagedCount() {
      return (await pool.query('select from sluice.staged_chunks')).rowCount;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Paragraphs that fill a chunk each. */
export function textOf(...subjects: (string | number)[]): string {
  return subjects
    .map(
      (subject) =>
        `The paragraph about subject ${subject} tells at some length what subject ${subject} is, whom it concerns, and why it matters.`,
    )
    .join('\n\n');
}

export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
