import type { Pool } from '@sluice/pool';
import {
  buildMetadataIndex,
  dropMetadataIndex,
  listMetadataIndexWork,
  type MetadataIndexWork,
} from '@sluice/store';

export interface BuiltMetadataIndex {
  collection: string;
  field: string;
  type: string;
  durationMs: number;
}

export interface MetadataIndexesOptions {
  pool: Pool;
  onBuilt(built: BuiltMetadataIndex): void;
  onError(error: unknown): void;
}

async function makeGood(
  { collectionId, collection, build, drop }: MetadataIndexWork,
  { pool, onBuilt }: MetadataIndexesOptions,
  signal: AbortSignal,
): Promise<void> {
  await pool.session('bulk', async (lease) => {
    await lease.query("select set_config('statement_timeout', '0', false)");
    for (const name of drop) await dropMetadataIndex(lease, name);
    for (const index of build) {
      const start = performance.now();
      await buildMetadataIndex(lease, collectionId, index, signal);
      const { field, type } = index;
      onBuilt({ collection, field, type, durationMs: Math.round(performance.now() - start) });
    }
  });
}

/** Makes the indexes on metadata what was declared, one after the other, beside searches and writes. */
export async function buildMetadataIndexes(
  options: MetadataIndexesOptions,
  signal: AbortSignal,
): Promise<void> {
  for (const work of await listMetadataIndexWork(options.pool.lane('control'))) {
    if (signal.aborted) return;
    // One that cannot be built holds up no other.
    await makeGood(work, options, signal).catch((error) => {
      if (!signal.aborted) options.onError(error);
    });
  }
}
