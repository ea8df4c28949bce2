import { randomUUID } from 'node:crypto';
import type { Pool } from '@sluice/pool';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Collection,
  chunkId,
  copyChunks,
  createCollection,
  type Distance,
  scoreOf,
  searchChunks,
  type VectorIndex,
  type VectorStorage,
} from '../src/index.ts';
import { type OpenDatabase, openEmbedded, openPostgres } from './support/both-databases.ts';
import { definition, vectorOf } from './support/fixtures.ts';

const count = 60;
const distances: Distance[] = ['cosine', 'l2', 'inner_product'];
const shapes: [VectorStorage, number][] = [
  ['vector', 3],
  ['vector', 384],
  ['vector', 2_000],
  ['halfvec', 3],
  ['halfvec', 384],
  ['halfvec', 4_000],
];
const kinds = distances.flatMap((distance) =>
  shapes.map(([storage, dimensions]) => [distance, storage, dimensions] as const),
);

const dot = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
const norm = (a: Float32Array) => Math.sqrt(dot(a, a));

/** As pgvector defines them; inner products are negative, so that less is nearer. */
const between: Record<Distance, (a: Float32Array, b: Float32Array) => number> = {
  cosine: (a, b) => 1 - dot(a, b) / (norm(a) * norm(b)),
  l2: (a, b) => norm(a.map((value, i) => value - (b[i] as number))),
  inner_product: (a, b) => -dot(a, b),
};

/** Of what is rounded: vectors to 24 or 11 bits, sums to 24. */
const scales: typeof between = {
  cosine: () => 1,
  l2: (a, b) => norm(a) + norm(b),
  inner_product: (a, b) => norm(a) * norm(b),
};

function every(open: OpenDatabase, vectorIndex: VectorIndex): void {
  let pool: Pool;
  let close: () => PromiseLike<void>;
  beforeAll(async () => {
    const database = await open();
    ({ pool } = database);
    close = () => database[Symbol.asyncDispose]();
  });
  afterAll(() => close?.());

  const make = (distance: Distance, storage: VectorStorage, dimensions: number) =>
    pool
      .lane('control')
      .transaction((transaction) =>
        createCollection(transaction, definition({ distance, storage, dimensions }), vectorIndex),
      );

  async function fill({ id, storage, dimensions }: Collection): Promise<Map<string, Float32Array>> {
    const documentId = randomUUID();
    const vectors = new Map(
      Array.from({ length: count }, (_, i) => [
        chunkId(documentId, `text ${i}`, 0),
        vectorOf(i + 0.5, dimensions),
      ]),
    );
    const chunks = [...vectors].map(([chunk, embedding], ordinal) => ({
      id: chunk,
      ordinal,
      text: `text ${ordinal}`,
      tokens: 2,
      page: null,
      headingPath: [],
      charStart: 0,
      charEnd: 6,
      embedding,
    }));
    await pool.lane('bulk').transaction(async (transaction) => {
      await transaction.query(
        `insert into sluice.documents (id, collection_id, external_id, name) values ($1::uuid, $2::bigint, 'a', 'a')`,
        [documentId, id],
      );
      await copyChunks(transaction, { id, storage }, [{ documentId, metadata: { of: 'a' }, chunks }]);
    });
    return vectors;
  }

  test.each(kinds)(
    '%s of %s(%i) finds what an exact computation finds',
    async (distance, storage, dimensions) => {
      const collection = await make(distance, storage, dimensions);
      const vectors = await fill(collection);
      const asked = vectorOf(4.2, dimensions);
      const exact = (id: string) => between[distance](vectors.get(id) as Float32Array, asked);
      const nearest = [...vectors.keys()].map(exact).sort((a, b) => a - b);
      for (const access of ['index', 'scan'] as const) {
        const hits = await searchChunks(pool, collection, { vector: asked, limit: 10, access });
        expect(hits).toHaveLength(10);
        const slack = (storage === 'halfvec' ? 0.001 : 0.000_01) * scales[distance](asked, asked);
        for (const [i, { id, distance: told }] of hits.entries()) {
          expect(Math.abs(told - exact(id)), `${access}, hit ${i}`).toBeLessThan(slack);
          expect(Math.abs(told - (nearest[i] as number)), `${access}, place ${i}`).toBeLessThan(slack);
        }
        const scores = hits.map((hit) => scoreOf(distance, hit.distance));
        expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      }
    },
  );

  test.each(kinds)(
    '%s of %s(%i) finds nothing where there is nothing',
    async (distance, storage, dimensions) => {
      const collection = await make(distance, storage, dimensions);
      const query = { vector: vectorOf(1, dimensions), limit: 10 };
      for (const access of ['index', 'scan'] as const) {
        expect(await searchChunks(pool, collection, { ...query, access })).toEqual([]);
      }
      await fill(collection);
      const filter = { op: 'contains', value: { of: 'nobody' } } as const;
      const perDocument = { most: 1, candidates: 50 };
      for (const access of ['index', 'scan'] as const) {
        expect(await searchChunks(pool, collection, { ...query, access, filter })).toEqual([]);
        expect(await searchChunks(pool, collection, { ...query, access, filter, perDocument })).toEqual([]);
        expect(await searchChunks(pool, collection, { ...query, access, limit: 100, offset: count })).toEqual(
          [],
        );
      }
    },
  );
}

describeWithServices('postgres', 'collections', () => every(openPostgres, 'hnsw'));
describe('collections of the embedded Postgres', () => every(openEmbedded, 'none'));
