import type { UploadBody } from '@sluice/contract';

export function sampleUpload(change: Partial<UploadBody> & { id: string }): UploadBody {
  return {
    status_url: `/v1/uploads/${change.id}`,
    events_url: `/v1/uploads/${change.id}/events`,
    job_url: `/admin/queues/queue/ingest-upload/${change.id}`,
    state: 'queued',
    stage: 'waiting',
    progress: { done: 0, total: null },
    attempts: 0,
    batch_id: null,
    error: null,
    unchanged: false,
    collection: 'default',
    document_id: change.id,
    external_id: change.id,
    name: 'report.pdf',
    format: 'pdf',
    size_bytes: 1_000,
    priority: 'normal',
    sha256: null,
    metadata: {},
    timings: {
      accepted_at: '2026-01-01T00:00:00.000Z',
      started_at: null,
      finished_at: null,
      waited_ms: null,
      processed_ms: null,
      stages_ms: null,
    },
    ...change,
  };
}
