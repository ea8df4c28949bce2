import type { EmbeddingPurpose } from './embedding-provider.ts';
import { type BatchLimits, type Item, sumTokens } from './text-queue.ts';

interface Batch {
  readonly items: readonly Item[];
  /** No other text may join it. */
  readonly alone: boolean;
  /** When it may go, by `performance.now()`. */
  readonly dueAt: number;
}

/** Texts that go again after a failed request, in the batches that the plan of the retry made. */
interface RetryQueue {
  add(batch: Batch): void;
  /**
   * The next batch that is due, without texts that nobody waits for any more. Others that are due join it where they may and fit:
   * after a pause for all, what was refused in many requests goes again in few.
   */
  take(
    purpose: EmbeddingPurpose,
    now: number,
    limits: BatchLimits,
  ): { items: Item[]; alone: boolean } | undefined;
  nextDue(): number | undefined;
  clear(): void;
}

export function createRetryQueue(): RetryQueue {
  const batches = new Set<Batch>();

  /** Its texts that are still waited for; it is gone if there are none. */
  function liveItems(batch: Batch): Item[] {
    const live = batch.items.filter((item) => !item.call.settled);
    if (live.length === 0) batches.delete(batch);
    return live;
  }

  function* due(purpose: EmbeddingPurpose, now: number): Generator<{ batch: Batch; live: Item[] }> {
    for (const batch of batches) {
      if (batch.dueAt > now) continue;
      const live = liveItems(batch);
      if (live[0]?.call.purpose === purpose) yield { batch, live };
    }
  }

  return {
    add: (batch) => void batches.add(batch),
    take(purpose, now, limits) {
      const items: Item[] = [];
      for (const { batch, live } of due(purpose, now)) {
        if (items.length > 0 && (batch.alone || !fits(items, live, limits))) continue;
        batches.delete(batch);
        items.push(...live);
        if (batch.alone) return { items, alone: true };
      }
      return items.length > 0 ? { items, alone: false } : undefined;
    },
    nextDue() {
      return batches.size === 0 ? undefined : Math.min(...[...batches].map(({ dueAt }) => dueAt));
    },
    clear: () => batches.clear(),
  };
}

function fits(items: readonly Item[], more: readonly Item[], limits: BatchLimits): boolean {
  return (
    items.length + more.length <= limits.maxTexts && sumTokens(items) + sumTokens(more) <= limits.maxTokens
  );
}
