import type {
  CollectionStatsBody,
  PoolReportBody,
  QueueReportBody,
  ReplicaBody,
  ScalingBody,
} from '@sluice/contract';
import type { PoolStatus } from '@sluice/pool';
import type { CollectionFigures, RunningProcess, UploadFigures } from '@sluice/store';
import type { ScalingAdvice } from './needed-workers.ts';
import type { ProcessReport } from './process-report.ts';

const tenths = (value: number) => Math.round(value * 10) / 10;

export function presentUtilization(status: PoolStatus): PoolReportBody['pool_utilization'] {
  const limit = status.pool_size + status.max_overflow;
  return {
    usage_percent: tenths((100 * status.checked_out) / Math.max(1, limit)),
    available_connections: Math.max(0, limit - status.checked_out),
  };
}

export function presentReplica(running: RunningProcess<ProcessReport>): ReplicaBody {
  const { id, role, host, pid, version, startedAt, seenAt, report } = running;
  const { use, ...pool } = report.pool;
  return {
    id,
    role,
    host,
    pid,
    version,
    started_at: startedAt.toISOString(),
    seen_at: seenAt.toISOString(),
    pool: {
      ...pool,
      usage_percent: use.usagePercent,
      overflow_percent: use.overflowPercent,
      acquire_wait_p95_ms: use.waitP95Ms,
    },
    work: report.work && {
      state: report.work.state,
      concurrency: report.work.concurrency,
      active: report.work.active,
      progress_at: report.work.progressAt,
      healthy: report.work.healthy,
      detail: report.work.detail,
      service_seconds: report.work.serviceSeconds,
    },
  };
}

export function presentCollection(figures: CollectionFigures): CollectionStatsBody {
  const hnsw = figures.indexes.find(({ method }) => method === 'hnsw');
  const rows = figures.liveRows + figures.deadRows;
  return {
    collection: figures.name,
    documents: figures.documents,
    distinct_sources: figures.distinctSources,
    chunks: figures.chunks,
    dimensions: figures.dimensions,
    mean_length: figures.chunks > 0 ? tenths(figures.characters / figures.chunks) : null,
    bytes: figures.bytes,
    index_bytes: hnsw?.bytes ?? 0,
    index: hnsw ? 'ready' : figures.building ? 'building' : 'none',
    dead_rows_percent: rows > 0 ? tenths((100 * figures.deadRows) / rows) : 0,
    uploads_pending: figures.uploadsPending,
  };
}

export function presentUploads(uploads: UploadFigures): QueueReportBody['uploads'] {
  return {
    queued: uploads.queued,
    processing: uploads.processing,
    failed: uploads.failed,
    oldest_age_seconds: tenths(uploads.oldestAgeSeconds),
  };
}

/** What the rule rested on, beside what it says. */
export interface ScalingFigures {
  uploads: UploadFigures;
  arrivalPerSecond: number;
  serviceSeconds: number | undefined;
  concurrency: number;
  workers: number;
  targetAgeSeconds: number;
}

export function presentScaling(figures: ScalingFigures, { needed, reason }: ScalingAdvice): ScalingBody {
  return {
    queue_depth: figures.uploads.queued,
    oldest_age_seconds: tenths(figures.uploads.oldestAgeSeconds),
    arrival_per_second: Math.round(figures.arrivalPerSecond * 1_000) / 1_000,
    service_seconds:
      figures.serviceSeconds === undefined ? null : Math.round(figures.serviceSeconds * 1_000) / 1_000,
    target_age_seconds: figures.targetAgeSeconds,
    concurrency: figures.concurrency,
    workers: figures.workers,
    needed_workers: needed,
    reason,
  };
}
