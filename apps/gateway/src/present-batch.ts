import type { BatchBody } from '@sluice/contract';
import type { Batch } from '@sluice/store';

export function statusOf({
  counts,
  cancelledAt,
}: Pick<Batch, 'counts' | 'cancelledAt'>): BatchBody['status'] {
  // Of a cancelled batch an upload may have been put back in line.
  if (counts.queued + counts.processing > 0) return 'in_progress';
  if (cancelledAt) return 'cancelled';
  return counts.total === 0 ? 'empty' : 'completed';
}

export function presentBatch(batch: Batch): BatchBody {
  const { queued, processing, ready, failed, superseded, cancelled, total } = batch.counts;
  const url = `/v1/batches/${batch.id}`;
  return {
    id: batch.id,
    status_url: url,
    events_url: `${url}/events`,
    uploads_url: `${url}/uploads`,
    status: statusOf(batch),
    counts: { queued, processing, ready, failed, superseded, cancelled, total },
    created_at: batch.createdAt.toISOString(),
    cancelled_at: batch.cancelledAt?.toISOString() ?? null,
  };
}
