import { createExtractor } from '@sluice/extraction';
import { createEmbedders, createPublisher, createUploadBatch, ingestUpload } from '@sluice/ingestion';
import { createPool } from '@sluice/pool';
import { createPostgresProgress } from '@sluice/progress';
import { type Collection, createCollection, findUploads, migrate } from '@sluice/store';
import type { RunningService } from '@sluice/testing';
import type { Figures } from '../measure/rounds.ts';
import { documentText } from './documents.ts';

interface Load {
  documents: number;
  paragraphs: number;
  dimensions: number;
}

const atOnce = 4;

/** Calls the domain's functions and nothing else: no HTTP, no queue, no other process. */
export async function ingestInLoop(
  server: RunningService,
  load: Load,
): Promise<{ measure(): Promise<Figures> } & AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const name = `ingest_loop_${load.dimensions}_${load.paragraphs}`;
  {
    await using admin = createPool({ connectionString: server.url, size: 1, maxOverflow: 0 });
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`create database ${name}`);
  }
  const database = new URL(server.url);
  database.pathname = `/${name}`;
  const pool = starting.use(createPool({ connectionString: database.href }));
  await migrate(pool);
  const embedders = starting.use(
    createEmbedders({
      openAi: undefined,
      onnx: undefined,
      timeoutMs: 10_000,
      maxTexts: 256,
      maxTokens: 100_000,
      concurrency: 4,
      requestsPerMinute: undefined,
      tokensPerMinute: undefined,
    }),
  );
  const extractor = starting.use(
    createExtractor({ threads: 2, memoryMb: 160, timeoutMs: 60_000, maxExpandedBytes: 10_000_000 }),
  );
  const progressChannel = starting.use(
    createPostgresProgress({ db: pool.lane('control'), onError: () => {} }),
  );
  const publisher = createPublisher({ db: pool.lane('bulk') });

  async function ingest(collection: Collection, text: string): Promise<string> {
    await using batch = createUploadBatch({ db: pool.lane('interactive'), maxBytes: 1e9, requestId: null });
    async function* bytes() {
      yield Buffer.from(text);
    }
    const options = { mediaType: undefined, externalId: undefined, name: undefined, chunking: undefined };
    await batch.receive({
      ...options,
      collection,
      fileName: 'a.txt',
      metadata: {},
      priority: 'normal',
      bytes: bytes(),
    });
    const id = (await batch.accept()).uploads[0]?.id as string;
    const dependencies = {
      pool,
      collectionById: async () => collection,
      embedders,
      extractor,
      publisher,
      progressChannel,
      windowChunks: 500,
    };
    await ingestUpload(dependencies, id, {
      signal: new AbortController().signal,
      lastAttempt: true,
      mayPutOff: false,
    });
    return id;
  }

  let rounds = 0;
  async function measure(): Promise<Figures> {
    rounds += 1;
    const definition = {
      name: `round-${rounds}`,
      embeddingProvider: 'local',
      embeddingModel: 'local-ngram-v1',
      dimensions: load.dimensions,
      distance: 'cosine',
      storage: 'vector',
      chunkMaxTokens: 128,
      chunkOverlapTokens: 0,
      language: 'simple',
    } as const;
    const collection = await pool
      .lane('control')
      .transaction((transaction) => createCollection(transaction, definition, 'deferred'));
    const texts = Array.from({ length: load.documents }, (_, i) =>
      documentText(rounds * 10_000 + i, load.paragraphs),
    );
    const start = performance.now();
    const ids: string[] = [];
    let next = 0;
    async function caller(): Promise<void> {
      for (let i = next++; i < texts.length; i = next++)
        ids.push(await ingest(collection, texts[i] as string));
    }
    await Promise.all(Array.from({ length: atOnce }, caller));
    const seconds = (performance.now() - start) / 1_000;
    const uploads = await findUploads(pool, ids);
    const chunks = uploads.reduce((sum, { chunksTotal }) => sum + (chunksTotal ?? 0), 0);
    const mean = (stage: 'extracting' | 'embedding' | 'publishing') =>
      uploads.reduce((sum, { stageMs }) => sum + (stageMs?.[stage] ?? 0), 0) / uploads.length;
    const memory = process.memoryUsage.rss() / 2 ** 20;
    return {
      documents: ids.length / seconds,
      chunks: chunks / seconds,
      extracting: mean('extracting'),
      embedding: mean('embedding'),
      publishing: mean('publishing'),
      gatewayMemory: memory,
      workerMemory: memory,
    };
  }
  const stack = starting.move();
  return { measure, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
