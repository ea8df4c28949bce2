import { createHash } from 'node:crypto';

/** Repeatable: the same seed and label give the same numbers, whatever else draws. */
export interface Random {
  /** 0 inclusive to 1 exclusive. */
  next(): number;
  /** Whole, both ends inclusive. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** One of the keys, in proportion to the weights; those of 0 never. */
  weighted<K extends string>(weights: Partial<Record<K, number>>): K;
  /** Of a memoryless wait with this mean. */
  exponential(mean: number): number;
}

/** mulberry32, seeded by a hash of seed and label. */
export function createRandom(seed: number, label = ''): Random {
  let state = createHash('sha256').update(`${seed} ${label}`).digest().readUInt32LE();
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability,
    pick: <T>(items: readonly T[]) => items[Math.floor(next() * items.length)] as T,
    weighted<K extends string>(weights: Partial<Record<K, number>>): K {
      const entries = Object.entries(weights) as [K, number][];
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      const chosen = entries.find(([, weight]) => {
        left -= weight;
        return left < 0;
      });
      return (chosen ?? (entries[0] as [K, number]))[0];
    },
    exponential: (mean) => -Math.log(1 - next()) * mean,
  };
}
