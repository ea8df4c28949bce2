import type { Filter } from '@sluice/contract';
import type { Queryable } from '@sluice/pool';
import { chunkTable, inlineVectorBytes } from './chunk-table.ts';
import type { Collection } from './collections.ts';
import { compileFilter } from './filter.ts';
import { readyIndexes } from './nearest-chunks.ts';
import { createParameters } from './parameters.ts';

export interface MatchEstimate {
  /** Chunks that the filter lets through. */
  matches: number;
  /** Of the collection. */
  chunks: number;
}

// A few milliseconds, and enough to tell a hundredth from a tenth also where the chunks of a page are of one document.
const leastPages = 200;
const sampledChunks = 1_000;
const pageBytes = 8_192;
// Of a chunk beside its vector, about.
const chunkBytes = 1_500;

/** Vectors in the rows leave few of them to a page. */
function pagesToSample(collection: Pick<Collection, 'storage' | 'dimensions'>): number {
  const rowBytes = chunkBytes + (inlineVectorBytes(collection) ?? 0);
  return Math.max(leastPages, Math.ceil(sampledChunks / Math.max(1, Math.floor(pageBytes / rowBytes))));
}

/**
 * Counted in a sample of pages, the same ones each time. The planner's own estimate knows nothing of the values in JSON that have
 * no index, and takes the parts of a filter for independent.
 */
export async function estimateMatches(
  db: Queryable,
  collection: Pick<Collection, 'id' | 'metadataIndexes' | 'storage' | 'dimensions'>,
  filter: Filter,
): Promise<MatchEstimate> {
  const table = chunkTable(collection.id);
  const parameters = createParameters();
  const condition = compileFilter(filter, parameters, readyIndexes(collection));
  const percent = `least(100, ${pagesToSample(collection)} * 100.0 / greatest(1, pg_relation_size('${table}') / current_setting('block_size')::int))`;
  const { rows } = await db.query<{ seen: number; sampled: number; percent: number }>(
    `select count(*) filter (where ${condition})::int as seen, count(*)::int as sampled, (${percent})::float8 as percent
     from ${table} tablesample system (${percent}) repeatable (0)`,
    parameters.values,
  );
  const { seen = 0, sampled = 0, percent: share = 100 } = rows[0] ?? {};
  return { matches: Math.round((seen * 100) / share), chunks: Math.round((sampled * 100) / share) };
}
