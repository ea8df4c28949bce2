import { Counter, type Registry } from 'prom-client';

/** Lookups of one level of a cache, by kind of what was looked up. */
export interface CacheReading {
  kinds: Readonly<Record<string, { hits: number; misses: number; busy: number }>>;
}

const results = { hits: 'hit', misses: 'miss', busy: 'busy' } as const;

/** Read when they are asked for. */
export function registerCacheMetrics(
  registry: Registry,
  read: () => Readonly<Record<string, CacheReading>>,
): void {
  new Counter({
    name: 'sluice_cache_requests_total',
    help: 'Lookups by level, kind and result; busy: somebody else was making the entry.',
    labelNames: ['level', 'kind', 'result'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [level, { kinds }] of Object.entries(read())) {
        for (const [kind, counts] of Object.entries(kinds)) {
          for (const [count, result] of Object.entries(results))
            this.inc({ level, kind, result }, counts[count as keyof typeof results]);
        }
      }
    },
  });
}
