import type { LookupCounts } from './cache.ts';

export interface LookupCounter {
  count(key: string, outcome: keyof LookupCounts): void;
  kinds(): Record<string, LookupCounts>;
}

export function createLookupCounter(): LookupCounter {
  const kinds = new Map<string, LookupCounts>();
  return {
    count(key, outcome) {
      const colon = key.indexOf(':');
      const kind = colon === -1 ? key : key.slice(0, colon);
      let counts = kinds.get(kind);
      if (!counts) {
        counts = { hits: 0, misses: 0, busy: 0 };
        kinds.set(kind, counts);
      }
      counts[outcome] += 1;
    },
    kinds: () => Object.fromEntries([...kinds].map(([kind, counts]) => [kind, { ...counts }])),
  };
}
