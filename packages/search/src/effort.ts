import type { Collection } from '@sluice/store';
import type { ChunkQuestion } from './find-chunks.ts';

/** Of `hnsw.ef_search`. */
export const maxEffort = 1_000;

/**
 * `hnsw.ef_search` of a search: what was measured to hold the collection's recall, `unmeasured` before that, and no less than the
 * hits that are asked for. Later pages have the effort of the first: with another one the hits before them would not be
 * the ones that were shown.
 */
export function effortOf(
  { effort: measured }: Pick<Collection, 'effort'>,
  { k, offset = 0, goOn }: Pick<ChunkQuestion, 'k' | 'offset' | 'goOn'>,
  unmeasured: number,
): number {
  return goOn?.effort ?? Math.min(maxEffort, Math.max(measured ?? unmeasured, k + offset));
}
