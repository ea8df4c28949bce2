import { type Collection, declareTextSearch, listCollections } from '@sluice/store';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { type IndexBuilderOptions, startIndexBuilder } from '../src/index.ts';
import { numbers, openWorkshop, textOf, type Workshop } from './support/workshop.ts';

const patience = { timeout: 20_000 };

type Built = Parameters<IndexBuilderOptions['onBuilt']>[0];

function startBuilder({ pool }: Workshop, built: Built[] = []) {
  return startIndexBuilder({
    pool,
    minChunks: 20,
    maxDeferredChunks: 1_000,
    denser: true,
    memoryMb: 64,
    parallelWorkers: 0,
    intervalMs: 50,
    onBuilt: (one) => built.push(one),
    onError(error) {
      throw error;
    },
  });
}

const collectionOf = async ({ pool }: Workshop) => (await listCollections(pool))[0] as Collection;
const stateOf = async (workshop: Workshop) => (await collectionOf(workshop)).textIndex;

async function wordless({ pool, collection }: Workshop): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count from sluice.chunks_${collection.id} where words is null`,
  );
  return rows[0]?.count ?? -1;
}

async function declare({ pool, collection }: Workshop, enabled: boolean): Promise<void> {
  await pool
    .lane('control')
    .transaction((transaction) => declareTextSearch(transaction, collection.id, enabled));
}

async function ingest(workshop: Workshop, name: string, words: (string | number)[], windowChunks?: number) {
  const { id } = await workshop.accept(name, textOf(...words));
  expect(await workshop.ingest(id, { ...(windowChunks && { windowChunks }) })).toBe('ready');
}

describeWithServices('postgres', 'the words of a collection', () => {
  test('come with its chunks, published at once or staged, and stay with those that stay', async () => {
    await using workshop = await openWorkshop();
    expect(await stateOf(workshop)).toBe('gin');
    await ingest(workshop, 'a', numbers(8));
    await ingest(workshop, 'b', numbers(8), 3);
    await ingest(workshop, 'b', ['other', ...numbers(6)], 3);
    await ingest(workshop, 'a', ['other', ...numbers(6)]);
    expect(await workshop.chunks()).toHaveLength(14);
    expect(await wordless(workshop)).toBe(0);
  });

  test('are made for older chunks when text search is turned on, then indexed, and queries use the index', async () => {
    await using workshop = await openWorkshop();
    await declare(workshop, false);
    await ingest(workshop, 'a', numbers(30));
    expect(await wordless(workshop)).toBe(30);
    await declare(workshop, true);
    expect(await stateOf(workshop)).toBe('filling');
    const built: Built[] = [];
    await using _ = startBuilder(workshop, built);
    await expect.poll(() => stateOf(workshop), patience).toBe('gin');
    await expect.poll(() => built.length, patience).toBe(1);
    expect(built[0]).toMatchObject({ collection: 'test', wordsMade: 30, indexed: true });
    expect(await wordless(workshop)).toBe(0);
    const plan = await workshop.pool.session('bulk', async (lease) => {
      await lease.query('set enable_seqscan = off');
      return lease.query(
        `explain select id from sluice.chunks_${workshop.collection.id} where words @@ '''a'''::tsquery limit 5`,
      );
    });
    expect(JSON.stringify(plan.rows)).toContain(`chunks_${workshop.collection.id}_words`);
  });

  test('get an index when the initial load has ended, and not before', async () => {
    await using workshop = await openWorkshop();
    await workshop.pool.query(`drop index sluice.chunks_${workshop.collection.id}_words`);
    await workshop.pool.query(`update sluice.collections set text_index = 'deferred'`);
    await using _ = startBuilder(workshop);
    const last = await workshop.accept('b', textOf('last'));
    await ingest(workshop, 'a', numbers(25));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await stateOf(workshop)).toBe('deferred');
    await workshop.ingest(last.id);
    await expect.poll(() => stateOf(workshop), patience).toBe('gin');
  });

  test('are made for chunks that a worker of an older release has published', async () => {
    await using workshop = await openWorkshop();
    await ingest(workshop, 'a', numbers(5));
    await workshop.pool.query(`update sluice.chunks_${workshop.collection.id} set words = null`);
    const { generation } = await collectionOf(workshop);
    await using _ = startBuilder(workshop);
    await expect.poll(() => wordless(workshop), patience).toBe(0);
    // Cached answers have missed them.
    expect((await collectionOf(workshop)).generation).toBeGreaterThan(generation);
  });
});
