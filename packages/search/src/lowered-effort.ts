import type { PressureLevel } from './pressure.ts';

const leastEffort = 20;

/**
 * The search effort (`hnsw.ef_search`) under pressure: half of it, then a quarter. Never below `wanted`, the hits with those
 * that are skipped: the index finds no more than that. What is lower already stays.
 */
export function loweredEffort(effort: number, level: PressureLevel, wanted: number): number {
  const least = Math.max(leastEffort, wanted);
  return Math.min(effort, Math.max(least, Math.ceil(effort / 2 ** level)));
}
