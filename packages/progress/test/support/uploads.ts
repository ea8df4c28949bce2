import { randomUUID } from 'node:crypto';
import { createPool, type Pool } from '@sluice/pool';
import { createCollection, insertUpload, readAttempts, type UploadState } from '@sluice/store';
import { createTestDatabase } from '@sluice/testing';
import type { AttemptProgress } from '../../src/index.ts';

/** Rows of uploads, to be changed at will. */
export interface Uploads extends AsyncDisposable {
  pool: Pool;
  /** One that is being worked on; returns its id. */
  create(attempt: { fence: number }): Promise<string>;
  set(id: string, to: { fence: number; state: UploadState }): Promise<void>;
  remove(id: string): Promise<void>;
  progressOf(id: string): Promise<AttemptProgress[]>;
}

export async function openUploads(): Promise<Uploads> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const pool = stack.use(createPool({ connectionString: database.url, size: 4, maxOverflow: 0 }));
  const collection = await pool.lane('control').transaction((transaction) =>
    createCollection(transaction, {
      name: 'test',
      embeddingProvider: 'local',
      embeddingModel: 'local-ngram-v1',
      dimensions: 8,
      distance: 'cosine',
      storage: 'vector',
      chunkMaxTokens: 32,
      chunkOverlapTokens: 0,
      language: 'simple',
    }),
  );
  const set: Uploads['set'] = async (id, { fence, state }) => {
    await pool.query(
      `update sluice.uploads set fence = $2::int, state = $3::text, chunks_done = 0 where id = $1::uuid`,
      [id, fence, state],
    );
  };
  return {
    pool,
    set,
    async create({ fence }) {
      const id = randomUUID();
      await insertUpload(pool, {
        id,
        collectionId: collection.id,
        documentId: randomUUID(),
        externalId: id,
        fileName: 'a.txt',
        format: 'text',
        metadata: {},
        chunkMaxTokens: 32,
        chunkOverlapTokens: 0,
        priority: 'normal',
        requestId: null,
      });
      await set(id, { fence, state: 'processing' });
      return id;
    },
    async remove(id) {
      await pool.query('delete from sluice.uploads where id = $1::uuid', [id]);
    },
    progressOf: (id) => readAttempts(pool, [id]),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
