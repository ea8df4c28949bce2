import type { Pool } from '@sluice/pool';
import {
  type Catalog,
  type Collection,
  listUnmeasured,
  type RecallMeasurement,
  recordMeasurement,
  releaseLease,
  takeLease,
} from '@sluice/store';
import { type MeasureOptions, measureRecall } from './measure-recall.ts';

export interface RecallSamplerOptions extends Pick<MeasureOptions, 'target' | 'unmeasured'> {
  pool: Pool;
  catalog: Pick<Catalog, 'byId' | 'refresh'>;
  /** How often collections are looked at, in ms. 0: never. */
  intervalMs: number;
  /** Queries of a measurement. Default 200. */
  sample?: number;
  /** Longest time in statements for one collection, in ms. Default 30 000. */
  budgetMs?: number;
  /** Of the time, spent in statements. Default 0.2. */
  share?: number;
  /** A collection that has changed is measured again after so long at the latest, in ms. Default an hour. */
  olderThanMs?: number;
  onMeasured(collection: Collection, measurement: RecallMeasurement): void;
  onError(error: unknown): void;
}

// A collection that is being filled is measured a few times, and not after each document.
const changedBy = 0.25;

const leaseName = 'measure-recall';
// For what a measurement does beside its statements.
const graceMs = 10_000;

/**
 * Measures collections whose contents have changed, one at a time over all replicas, on the control lane, until it is
 * disposed. Searches use the effort from then on.
 */
export function startRecallSampler(options: RecallSamplerOptions): AsyncDisposable {
  const { pool, catalog, intervalMs, onMeasured, onError } = options;
  const { target, unmeasured, sample = 200, budgetMs = 30_000, share = 0.2 } = options;
  const staleness = { olderThanMs: options.olderThanMs ?? 3_600_000, changedBy };
  const closing = new AbortController();
  const { signal } = closing;
  const control = pool.lane('control');
  let running: Promise<void> | undefined;

  async function measure(id: number): Promise<void> {
    await catalog.refresh();
    const collection = await catalog.byId(id);
    if (!collection) return;
    const asked = { target, unmeasured, sample, budgetMs, share, signal };
    // A copy, since its owner keeps the generation up to date.
    const measurement = await measureRecall(control, { ...collection }, asked);
    if (measurement && (await recordMeasurement(control, id, measurement))) {
      onMeasured(collection, measurement);
    }
  }

  function report(error: unknown): void {
    if (!signal.aborted) onError(error);
  }

  /** False when there is nothing left to do, or another replica is at it. */
  async function measureNext(tried: Set<number>): Promise<boolean> {
    if (!(await takeLease(control, leaseName, budgetMs / share + graceMs))) return false;
    try {
      const id = (await listUnmeasured(control, staleness)).find((each) => !tried.has(each));
      if (id === undefined) return false;
      tried.add(id);
      // One that cannot be measured holds up no other.
      await measure(id).catch(report);
      return true;
    } finally {
      await releaseLease(control, leaseName);
    }
  }

  async function round(): Promise<void> {
    const tried = new Set<number>();
    while (!signal.aborted && (await measureNext(tried)));
  }
  const timer =
    intervalMs > 0
      ? setInterval(() => {
          running ??= round()
            .catch(report)
            .finally(() => {
              running = undefined;
            });
        }, intervalMs)
      : undefined;

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      closing.abort();
      await running;
    },
  };
}
