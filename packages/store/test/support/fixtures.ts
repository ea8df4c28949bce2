import { randomUUID } from 'node:crypto';
import type { Pool, Queryable } from '@sluice/pool';
import {
  acceptUploads,
  type Collection,
  createCollection,
  insertPart,
  insertUpload,
  type NewCollection,
} from '../../src/index.ts';

export function definition(change: Partial<NewCollection> = {}): NewCollection {
  return {
    name: `c-${randomUUID().slice(0, 8)}`,
    embeddingProvider: 'local',
    embeddingModel: 'local-ngram-v1',
    dimensions: 8,
    distance: 'cosine',
    storage: 'vector',
    chunkMaxTokens: 100,
    chunkOverlapTokens: 0,
    language: 'simple',
    ...change,
  };
}

export function makeCollection(pool: Pool, change: Partial<NewCollection> = {}): Promise<Collection> {
  return pool.lane('control').transaction((transaction) => createCollection(transaction, definition(change)));
}

export async function receiveUpload(
  pool: Queryable,
  collection: Collection,
  externalId: string = randomUUID(),
): Promise<string> {
  const id = randomUUID();
  await insertUpload(pool, {
    id,
    collectionId: collection.id,
    documentId: randomUUID(),
    externalId,
    fileName: 'a.txt',
    format: 'text',
    metadata: { of: externalId },
    chunkMaxTokens: 100,
    chunkOverlapTokens: 0,
    priority: 'normal',
    requestId: null,
  });
  await insertPart(pool, id, 0, Buffer.from('first '));
  await insertPart(pool, id, 1, Buffer.from('second'));
  return id;
}

export async function makeUpload(pool: Pool, collection: Collection, externalId?: string): Promise<string> {
  const id = await receiveUpload(pool, collection, externalId);
  await acceptUploads(pool, [{ id, sizeBytes: 12, contentHash: Buffer.alloc(32) }]);
  return id;
}

/** Uniform in -1 to 1, the same for the same seed. */
export function vectorOf(seed: number, dimensions = 8): Float32Array {
  return Float32Array.from({ length: dimensions }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233));
}
