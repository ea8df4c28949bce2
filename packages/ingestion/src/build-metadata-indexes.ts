import type { Pool } from '@sluice/pool';
import { buildMetadataIndex, dropMetadataIndex, listMetadataIndexWork } from '@sluice/store';

export interface BuiltMetadataIndex {
  collection: string;
  field: string;
  type: string;
  durationMs: number;
}

/** Makes the indexes on metadata what was declared, one after the other, beside searches and writes. */
export async function buildMetadataIndexes(
  pool: Pool,
  signal: AbortSignal,
  onBuilt: (built: BuiltMetadataIndex) => void,
): Promise<void> {
  for (const { collectionId, collection, build, drop } of await listMetadataIndexWork(pool.lane('control'))) {
    if (signal.aborted) return;
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
}
