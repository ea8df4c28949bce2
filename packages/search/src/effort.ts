import type { Collection } from '@sluice/store';
import type { ChunkQuestion } from './find-chunks.ts';
import type { PressureLevel } from './pressure.ts';

/** Of `hnsw.ef_search`. */
export const maxEffort = 1_000;

const leastLowered = 20;

export interface EffortOptions {
  /** Where no effort was measured yet. */
  unmeasured: number;
  level: PressureLevel;
}

export interface Effort {
  /** `hnsw.ef_search` of the search. */
  effort: number;
  /** What it is without pressure. */
  usual: number;
}

/**
 * What was measured to hold the collection's recall, and no less than the hits that are asked for with those that are skipped: the
 * index finds no more than that. Under pressure half of it, then a quarter, and never less than 20. Later pages have the effort of the
 * first: with another one the hits before them would not be the ones that were shown.
 */
export function effortOf(
  { effort: measured }: Pick<Collection, 'effort'>,
  { k, offset = 0, goOn }: Pick<ChunkQuestion, 'k' | 'offset' | 'goOn'>,
  { unmeasured, level }: EffortOptions,
): Effort {
  const wanted = Math.min(maxEffort, k + offset);
  const usual = Math.max(Math.min(maxEffort, measured ?? unmeasured), wanted);
  if (goOn?.effort) return { effort: goOn.effort, usual };
  const lowered = Math.max(leastLowered, wanted, Math.ceil(usual / 2 ** level));
  return { effort: Math.min(usual, lowered), usual };
}
