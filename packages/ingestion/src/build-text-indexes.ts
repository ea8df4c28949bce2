import type { Pool } from '@sluice/pool';
import {
  announceTextIndex,
  buildMissingWordsIndex,
  buildTextIndex,
  countLiveChunks,
  fillWords,
  listTextWork,
  type TextWork,
} from '@sluice/store';

/** A collection whose chunks are found by their words from now on, or sooner. */
export interface BuiltTextIndex {
  collection: string;
  /** Of chunks that had none. */
  wordsMade: number;
  /** Whether an index was built. */
  indexed: boolean;
  durationMs: number;
}

export interface TextIndexesOptions {
  pool: Pool;
  minChunks: number;
  maxDeferredChunks: number;
  onBuilt(built: BuiltTextIndex): void;
  onError(error: unknown): void;
}

/** Chunks in one transaction: others wait for it for some ten milliseconds at most. */
const chunksAtOnce = 500;

async function fill({ pool }: TextIndexesOptions, work: TextWork, signal: AbortSignal): Promise<number> {
  let made = 0;
  while (!signal.aborted) {
    const step = await pool
      .lane('bulk')
      .transaction((transaction) => fillWords(transaction, work, chunksAtOnce));
    made += step;
    if (step < chunksAtOnce) break;
  }
  return made;
}

/** Whether there is so much, and the load so far, that the index is worth building now. */
async function isDue(
  { pool, minChunks, maxDeferredChunks }: TextIndexesOptions,
  { id, loading }: TextWork,
): Promise<boolean> {
  const chunks = await countLiveChunks(pool.lane('control'), id);
  return chunks >= (loading ? maxDeferredChunks : minChunks);
}

async function makeGood(
  options: TextIndexesOptions,
  work: TextWork,
  fills: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { pool, onBuilt } = options;
  const { id, name, unindexed, textIndex, vectorIndex } = work;
  const control = pool.lane('control');
  const start = performance.now();
  const inSession = (build: typeof buildTextIndex) =>
    pool.session('bulk', async (lease) => {
      await lease.query("select set_config('statement_timeout', '0', false)");
      await build(lease, id, signal);
    });
  if (unindexed) await inSession(buildMissingWordsIndex);
  const wordsMade = fills ? await fill(options, work, signal) : 0;
  if (signal.aborted) return;
  const filled = vectorIndex === 'none' ? 'none' : 'deferred';
  if (textIndex === 'filling') await announceTextIndex(control, id, 'filling', filled);
  const deferred = textIndex === 'filling' ? filled === 'deferred' : textIndex === 'deferred';
  const indexed = deferred && (await isDue(options, work));
  if (indexed) {
    await inSession(buildTextIndex);
    await announceTextIndex(control, id, 'deferred', 'gin');
  }
  if (!indexed && wordsMade === 0 && textIndex !== 'filling') return;
  onBuilt({ collection: name, wordsMade, indexed, durationMs: Math.round(performance.now() - start) });
}

/**
 * Gives collections with text search what they lack: the words of chunks that were published without, by a release that made none
 * or before it was turned on, and the index on words, once the initial load has ended. Beside searches and writes.
 */
export async function buildTextIndexes(
  options: TextIndexesOptions,
  { all, signal }: { all: boolean; signal: AbortSignal },
): Promise<void> {
  for (const work of await listTextWork(options.pool.lane('control'))) {
    if (signal.aborted) return;
    // That chunks of any other lack their words is rare; and what is being loaded is counted now and then.
    const fills = all || work.unindexed || work.textIndex === 'filling';
    if (!fills && (work.textIndex !== 'deferred' || work.loading)) continue;
    await makeGood(options, work, fills, signal).catch((error) => {
      if (!signal.aborted) options.onError(error);
    });
  }
}
