import type { Benchmark } from '../benchmark.ts';
import { acquire } from './acquire.ts';
import { bulkInsert } from './bulk-insert.ts';
import { burstBenchmark } from './burst.ts';
import { busySearch } from './busy-search.ts';
import { cachedSearch } from './cached-search.ts';
import { callersBenchmark } from './callers.ts';
import { connectionPerQuery } from './connection-per-query.ts';
import { filteredSearch } from './filtered-search.ts';
import { httpSearch } from './http-search.ts';
import { ingest } from './ingest.ts';
import { lanes } from './lanes.ts';
import { recall } from './recall.ts';
import { select } from './select.ts';
import { storeSearch } from './store-search.ts';
import { uncachedSearch } from './uncached-search.ts';

/** In the order of the page. */
export const benchmarks: readonly Benchmark[] = [
  acquire,
  select,
  connectionPerQuery,
  burstBenchmark,
  lanes,
  callersBenchmark,
  storeSearch,
  recall,
  filteredSearch,
  httpSearch,
  busySearch,
  uncachedSearch,
  cachedSearch,
  bulkInsert,
  ingest,
];

/** All of them when none is named. */
export function chooseBenchmarks(names: readonly string[]): readonly Benchmark[] {
  const known = new Map(benchmarks.map((benchmark) => [benchmark.name, benchmark]));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new RangeError(
      `no benchmark is named ${unknown.join(', ')}: there are ${[...known.keys()].join(', ')}`,
    );
  }
  return names.length === 0 ? benchmarks : benchmarks.filter(({ name }) => names.includes(name));
}
