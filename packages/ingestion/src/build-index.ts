import { type Lease, type Pool, sqlState } from '@sluice/pool';
import {
  adoptDenserIndex,
  announceVectorIndex,
  countLiveChunks,
  createVectorIndexSql,
  type DeferredCollection,
  dropVectorIndex,
  listDeferredCollections,
  listSparseCollections,
  readIndexState,
  recordIndexBuild,
  type SparseCollection,
  takeLease,
} from '@sluice/store';
import { type BuiltMetadataIndex, buildMetadataIndexes } from './build-metadata-indexes.ts';
import { type BuiltTextIndex, buildTextIndexes } from './build-text-indexes.ts';

export interface IndexBuilderOptions {
  pool: Pool;
  /** A collection gets its index when it has so many chunks and none of its uploads waits. */
  minChunks: number;
  /** With so many the index is built although uploads still wait. */
  maxDeferredChunks: number;
  /** Whether an index that was measured to hold the wanted recall at no effort is built anew, denser. */
  denser: boolean;
  /** Of the server, in MiB. A graph that does not fit is built much more slowly. */
  memoryMb: number;
  /** Processes of the server that help. */
  parallelWorkers: number;
  /** How often collections are looked at, in milliseconds. Default 2 000. */
  intervalMs?: number;
  onBuilt(built: BuiltIndex | BuiltMetadataIndex | BuiltTextIndex): void;
  onError(error: unknown): void;
}

export interface BuiltIndex {
  collection: string;
  chunks: number;
  durationMs: number;
  /** It takes the place of one that found too few. */
  denser?: true;
}

// Counting the chunks of a collection that is being filled is worth it only now and then, and so is trying for the lock that it takes to
// put one index in the place of another.
const countEveryRounds = 15;
const noSharedMemory = '53100';

type Buildable = Omit<DeferredCollection, 'loading'> & { chunks: number };

/** Resolves with whether the server had no shared memory for helpers. */
async function build(
  lease: Lease,
  collection: Buildable,
  { memoryMb, parallelWorkers }: IndexBuilderOptions,
  { denser, signal }: { denser: boolean; signal: AbortSignal },
): Promise<{ sharedMemoryShort: boolean }> {
  async function createWith(helpers: number): Promise<void> {
    await lease.query(
      `select set_config('maintenance_work_mem', $1::text, false), set_config('statement_timeout', '0', false),
         set_config('max_parallel_maintenance_workers', $2::text, false)`,
      [`${memoryMb}MB`, String(helpers)],
    );
    const sql = createVectorIndexSql(collection, { options: 'concurrently if not exists', denser });
    await lease.query(sql, [], { signal });
  }
  try {
    await createWith(parallelWorkers);
    return { sharedMemoryShort: false };
  } catch (error) {
    // Containers often have little of it, and helpers need as much as the graph.
    if (parallelWorkers === 0 || sqlState(error) !== noSharedMemory) throw error;
    await dropVectorIndex(lease, collection.id, { denser });
    await createWith(0);
    return { sharedMemoryShort: true };
  }
}

/** Keeps how it went, for who asks why searches are slow. */
async function buildAndRecord(
  lease: Lease,
  collection: Buildable,
  options: IndexBuilderOptions,
  how: { denser: boolean; signal: AbortSignal },
): Promise<void> {
  const start = performance.now();
  const record = (sharedMemoryShort: boolean, error: string | null) =>
    recordIndexBuild(options.pool.lane('control'), collection.id, {
      at: new Date().toISOString(),
      duration_ms: Math.round(performance.now() - start),
      chunks: collection.chunks,
      memory_mb: options.memoryMb,
      helpers: sharedMemoryShort ? 0 : options.parallelWorkers,
      shared_memory_short: sharedMemoryShort,
      error,
    });
  try {
    const { sharedMemoryShort } = await build(lease, collection, options, how);
    await record(sharedMemoryShort, null);
  } catch (error) {
    if (!how.signal.aborted)
      await record(sqlState(error) === noSharedMemory, (error as Error).message).catch(options.onError);
    throw error;
  }
}

/** True when it is there and whole; false when somebody else is at it. What somebody has left half built is dropped first. */
async function ensureIndex(
  options: IndexBuilderOptions,
  collection: Buildable,
  { denser, signal }: { denser: boolean; signal: AbortSignal },
): Promise<boolean> {
  const { pool } = options;
  const control = pool.lane('control');
  const state = await readIndexState(control, collection.id, { denser });
  if (state === 'building') return false;
  await pool.session('bulk', async (lease) => {
    // Asked again: a build that ended while the first answer was made looks broken in it.
    const broken =
      state === 'broken' && (await readIndexState(lease, collection.id, { denser })) === 'broken';
    if (broken) await dropVectorIndex(lease, collection.id, { denser });
    if (state !== 'valid') await buildAndRecord(lease, collection, options, { denser, signal });
  });
  return (await readIndexState(control, collection.id, { denser })) === 'valid';
}

/** Builds the index of a collection whose initial load has ended, beside searches and writes. */
async function buildWhenDue(
  options: IndexBuilderOptions,
  collection: DeferredCollection,
  signal: AbortSignal,
): Promise<void> {
  const { pool, minChunks, maxDeferredChunks, onBuilt } = options;
  const control = pool.lane('control');
  const chunks = await countLiveChunks(control, collection.id);
  if (chunks < (collection.loading ? maxDeferredChunks : minChunks)) return;
  const start = performance.now();
  if (!(await ensureIndex(options, { ...collection, chunks }, { denser: false, signal }))) return;
  if (!(await announceVectorIndex(control, collection.id))) return;
  onBuilt({ collection: collection.name, chunks, durationMs: Math.round(performance.now() - start) });
}

/** Searches use the index that is there until the denser one is whole. */
async function replaceByDenser(
  options: IndexBuilderOptions,
  collection: SparseCollection,
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now();
  // Another replica may have been sooner.
  const sparse = await listSparseCollections(options.pool.lane('control'));
  if (!sparse.some(({ id }) => id === collection.id)) return;
  if (!(await ensureIndex(options, collection, { denser: true, signal }))) return;
  const adopted = await options.pool
    .lane('control')
    .transaction((transaction) => adoptDenserIndex(transaction, collection.id));
  if (!adopted) return;
  const { name, chunks } = collection;
  options.onBuilt({
    collection: name,
    chunks,
    durationMs: Math.round(performance.now() - start),
    denser: true,
  });
}

/** Looks for collections that are due, on one replica at a time, until it is disposed; then a build under way is cancelled. */
export function startIndexBuilder(options: IndexBuilderOptions): AsyncDisposable {
  const { pool, intervalMs = 2_000, onError } = options;
  const closing = new AbortController();
  let rounds = 0;
  let running: Promise<void> | undefined;

  function report(error: unknown): void {
    if (!closing.signal.aborted) onError(error);
  }

  async function round(): Promise<void> {
    if (!(await takeLease(pool.lane('control'), 'build-index', intervalMs * 0.9))) return;
    const countAll = rounds % countEveryRounds === 0;
    rounds += 1;
    await buildMetadataIndexes(options, closing.signal);
    for (const collection of await listDeferredCollections(pool.lane('control'))) {
      if (closing.signal.aborted) return;
      if (collection.loading && !countAll) continue;
      // Where one cannot be built the others can.
      await buildWhenDue(options, collection, closing.signal).catch(report);
    }
    await buildTextIndexes(options, { all: countAll, signal: closing.signal });
    if (!options.denser || !countAll) return;
    for (const collection of await listSparseCollections(pool.lane('control'))) {
      if (closing.signal.aborted) return;
      await replaceByDenser(options, collection, closing.signal).catch(report);
    }
  }
  const timer = setInterval(() => {
    running ??= round()
      .catch(report)
      .finally(() => {
        running = undefined;
      });
  }, intervalMs);

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      closing.abort();
      await running;
    },
  };
}
