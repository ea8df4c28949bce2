import type { QualityBody } from '@sluice/contract';
import type { Collection, StoredMeasurement } from '@sluice/store';

export function presentQuality(
  { name, vectorIndex, generation }: Collection,
  measured: StoredMeasurement | undefined,
  unmeasured: number,
): QualityBody {
  const body = { collection: name, target: null, sample_size: 0, measured_at: null, chunks: null, curve: [] };
  if (vectorIndex !== 'hnsw') {
    const recall = { recall: 1, low: 1, high: 1 };
    return { ...body, index: 'none', state: 'exact', effort: null, recall_at_10: recall };
  }
  if (!measured)
    return { ...body, index: 'hnsw', state: 'unmeasured', effort: unmeasured, recall_at_10: null };
  const { effort, target, recall, low, high, sampleSize, measuredAt, chunks, curve } = measured;
  return {
    collection: name,
    index: 'hnsw',
    state: measured.generation === generation ? 'current' : 'outdated',
    effort,
    target,
    recall_at_10: { recall, low, high },
    sample_size: sampleSize,
    measured_at: measuredAt.toISOString(),
    chunks,
    curve,
  };
}
