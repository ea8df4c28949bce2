import { setTimeout as sleep } from 'node:timers/promises';
import { type Queryable, sqlState } from '@sluice/pool';
import {
  type Collection,
  countLiveChunks,
  drawVectors,
  nearestDistances,
  nearestVectors,
  type ProbeOptions,
  type RecallMeasurement,
} from '@sluice/store';
import { chooseEffort } from './choose-effort.ts';
import { recallOf } from './interval.ts';

export interface MeasureOptions {
  /** The effort is chosen to hold it, 0 to 1. */
  target: number;
  /** Effort of searches as long as nothing was measured. */
  unmeasured: number;
  /** Queries at most. */
  sample: number;
  /** Longest time in statements, in ms. What was measured by then counts. */
  budgetMs: number;
  /** Share of the time spent in statements; the rest is waited. Default 1. */
  share?: number;
  signal?: AbortSignal | undefined;
}

export const measuredEfforts = [20, 40, 60, 80, 120, 200, 400] as const;
/** Neighbours that are looked for: recall@10. */
const k = 10;

// Of the nearest so many, two are drawn.
const neighbourhood = 24;
const drawEffort = 100;
const queryCanceled = '57014';
// Of distances that were computed in another order of the same sums.
const tolerance = 1e-6;

/**
 * A query that could be a chunk of that neighbourhood and is none: (2a + 2b - c) / 3 of three independent vectors has their mean and
 * their covariance, as the weights add up to 1 and so do their squares. A stored vector would be found more easily, as the
 * graph leads to it.
 */
function heldOut(a: Float32Array, b: Float32Array, c: Float32Array): Float32Array {
  return a.map((x, i) => (2 * x + 2 * (b[i] as number) - (c[i] as number)) / 3);
}

function drawTwo(vectors: readonly Float32Array[]): [Float32Array, Float32Array] | undefined {
  if (vectors.length < 2) return undefined;
  const first = Math.floor(Math.random() * vectors.length);
  const second = (first + 1 + Math.floor(Math.random() * (vectors.length - 1))) % vectors.length;
  return [vectors[first] as Float32Array, vectors[second] as Float32Array];
}

/** Share of the nearest that is among the found ones; of those at the same distance any will do. */
function shareOf(found: readonly number[], exact: readonly number[]): number {
  const furthest = exact.at(-1) as number;
  const limit = furthest + tolerance * Math.max(1, Math.abs(furthest));
  return Math.min(1, found.filter((distance) => distance <= limit).length / exact.length);
}

/** The shares that one query finds at each effort. */
async function probe(
  db: Queryable,
  collection: Collection,
  stored: Float32Array,
  options: () => ProbeOptions,
): Promise<number[]> {
  const around = { vector: stored, limit: neighbourhood, effort: drawEffort };
  // The nearest is the vector itself.
  const others = drawTwo((await nearestVectors(db, collection, around, options())).slice(1));
  const vector = others ? heldOut(stored, ...others) : stored;
  const exact = await nearestDistances(db, collection, { vector, limit: k }, options());
  const shares = [];
  for (const effort of measuredEfforts) {
    shares.push(
      shareOf(await nearestDistances(db, collection, { vector, limit: k, effort }, options()), exact),
    );
  }
  return shares;
}

/**
 * Compares what the vector index of a collection finds at several efforts with what exact search finds, for queries made of
 * stored chunks. Undefined when not even one could be asked: the collection is empty, or the budget too small.
 */
export async function measureRecall(
  db: Queryable,
  collection: Collection,
  { target, unmeasured, sample, budgetMs, share = 1, signal }: MeasureOptions,
): Promise<RecallMeasurement | undefined> {
  let spentMs = 0;
  const options = (since: number) => () => ({
    timeoutMs: budgetMs - spentMs - (performance.now() - since),
    signal,
  });
  const measured: number[][] = [];
  /** False when the budget is used up. */
  async function spend(work: (options: () => ProbeOptions) => Promise<void>): Promise<boolean> {
    const start = performance.now();
    try {
      await work(options(start));
    } catch (error) {
      if (sqlState(error) !== queryCanceled) throw error;
      return false;
    }
    const tookMs = performance.now() - start;
    spentMs += tookMs;
    if (share < 1) await sleep(tookMs / share - tookMs, undefined, { signal });
    return spentMs < budgetMs;
  }

  const chunks = await countLiveChunks(db, collection.id);
  let vectors: Float32Array[] = [];
  let left = await spend(async (within) => {
    vectors = await drawVectors(db, collection, sample, within());
  });
  for (const vector of vectors) {
    if (!left) break;
    left = await spend(async (within) => {
      measured.push(await probe(db, collection, vector, within));
    });
  }
  if (measured.length === 0) return undefined;
  const curve = measuredEfforts.map((effort, i) => {
    const shares = measured.map((each) => each[i] as number);
    return { effort, ...recallOf(shares, k) };
  });
  const chosen = chooseEffort(curve, target, unmeasured);
  const { generation } = collection;
  return { ...chosen, target, sampleSize: measured.length, curve, chunks, generation };
}
