import type { Queryable } from '@sluice/pool';
import { chunkTable } from './chunk-table.ts';
import { type NearestQuery, nearestChunks, type SearchedCollection } from './nearest-chunks.ts';
import { createParameters } from './parameters.ts';

export interface ProbeOptions {
  /** The server gives up after so long, in ms (SQLSTATE 57014). */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

const parse = (text: string) => Float32Array.from(JSON.parse(text) as number[]);
const timeout = (ms: number) => ({ statement_timeout: String(Math.max(1, Math.ceil(ms))) });

// Pages are drawn and not rows, and those of a page are alike: many more than are needed, of which some are taken.
const drawnFor = 8;

/** Vectors of up to `count` chunks, drawn by chance. Reads only some pages of a large table. */
export async function drawVectors(
  db: Queryable,
  collection: Pick<SearchedCollection, 'id'>,
  count: number,
  { timeoutMs, signal }: ProbeOptions,
): Promise<Float32Array[]> {
  const table = chunkTable(collection.id);
  const pages = `greatest(1, pg_relation_size('${table}') / current_setting('block_size')::int)`;
  const { rows } = await db.query<{ embedding: string }>(
    `select embedding::text from (
       select embedding from ${table} tablesample system (least(100, 100.0 * $1::int / ${pages}))
       order by random() limit $2::int
     ) drawn`,
    [drawnFor * count, count],
    { settings: timeout(timeoutMs), signal },
  );
  return rows.map(({ embedding }) => parse(embedding));
}

export interface Probe extends Omit<NearestQuery, 'filter' | 'access'> {
  /** `hnsw.ef_search` of a walk of the vector index; undefined: all vectors are compared. */
  effort?: number | undefined;
}

/**
 * Settings that leave the planner no choice: in a small table it would compare all, and tell nothing of the index that searches
 * will use once the table has grown.
 */
function settingsOf({ effort }: Probe, timeoutMs: number): Record<string, string> {
  if (effort === undefined) return timeout(timeoutMs);
  return {
    ...timeout(timeoutMs),
    'hnsw.ef_search': String(effort),
    enable_seqscan: 'off',
    enable_sort: 'off',
  };
}

function probeSql(collection: SearchedCollection, probe: Probe, columns: string) {
  const parameters = createParameters();
  const access = probe.effort === undefined ? 'scan' : 'index';
  const nearest = nearestChunks(collection, { ...probe, access }, parameters, columns);
  return { nearest, values: parameters.values };
}

/** Distances of the nearest chunks, nearest first. */
export async function nearestDistances(
  db: Queryable,
  collection: SearchedCollection,
  probe: Probe,
  { timeoutMs, signal }: ProbeOptions,
): Promise<number[]> {
  const { nearest, values } = probeSql(collection, probe, 'id');
  const { rows } = await db.query<{ distance: number }>(
    `select distance from (${nearest}) n order by distance`,
    values,
    { prepare: true, settings: settingsOf(probe, timeoutMs), signal },
  );
  return rows.map(({ distance }) => distance);
}

/** Vectors of the nearest chunks, nearest first. */
export async function nearestVectors(
  db: Queryable,
  collection: SearchedCollection,
  probe: Probe,
  { timeoutMs, signal }: ProbeOptions,
): Promise<Float32Array[]> {
  const { nearest, values } = probeSql(collection, probe, 'embedding');
  const { rows } = await db.query<{ embedding: string }>(
    `select embedding::text from (${nearest}) n order by distance`,
    values,
    { settings: settingsOf(probe, timeoutMs), signal },
  );
  return rows.map(({ embedding }) => parse(embedding));
}
