import { z } from 'zod';

const figure = z.union([z.number(), z.string(), z.boolean(), z.null()]);
const quantiles = z
  .object({
    count: z.int(),
    mean: z.number(),
    p50: z.number(),
    p95: z.number(),
    p99: z.number(),
    max: z.number(),
  })
  .describe('Milliseconds, of the last one to two minutes');

const laneSchema = z.object({
  checked_out: z.int(),
  waiting: z.int(),
  oldest_wait_ms: z.number().describe('How long who is first in line has waited'),
  guaranteed: z.int().describe('Connections that the lane is promised'),
  max: z.int().nullable(),
  overloaded: z.boolean().describe('Sheds: those who waited too long are sent away'),
  acquired: z.int().describe('Counted since the start, as are the following'),
  timeouts: z.int(),
  shed: z.int(),
  aborted: z.int(),
  acquire_wait_ms: quantiles,
  use_ms: quantiles,
});

export const poolStatusSchema = z.object({
  pool_size: z.int().describe('Core size now: as configured, or less under a budget'),
  max_overflow: z.int(),
  checked_in: z.int().describe('Idle, ready to be lent'),
  checked_out: z.int(),
  overflow: z.int().describe('Open beyond the core size'),
  invalid: z.int().describe('Closed because they were found broken, since the start'),
  opening: z.int(),
  closing: z.int().describe('Given up, while the server still has them'),
  listening: z.int().describe('Connections that listen, beside the pool'),
  waiting: z.int().describe('Borrowers that wait for a connection'),
  opened: z.int(),
  closed: z.int(),
  connect_failures: z.int(),
  recycled: z.int(),
  pings_failed: z.int(),
  timeouts: z.int(),
  shed: z.int(),
  leaks: z.int(),
  resizes: z.int(),
  budget_share: z.int().nullable().describe('What this pool may hold under the budget of the fleet'),
  last_connect_error: z.string().nullable().describe('Null while connecting works'),
  pooled: z.boolean().describe('A pooler such as PgBouncer is in between'),
  server_version: z.string().nullable(),
  lanes: z.record(z.string(), laneSchema),
});

export const replicaSchema = z
  .object({
    id: z.uuid(),
    role: z.enum(['gateway', 'worker']),
    host: z.string(),
    pid: z.int(),
    version: z.string(),
    started_at: z.iso.datetime(),
    seen_at: z.iso.datetime().describe('When it last said that it lives; it does so every few seconds'),
    pool: z.object({
      pool_size: z.int(),
      max_overflow: z.int(),
      checked_out: z.int(),
      waiting: z.int(),
      budget_share: z.int().nullable(),
      usage_percent: z.number().describe('Checked out, of core and overflow: mean of the last minute'),
      overflow_percent: z.number().describe('Share of the last five minutes in which overflow was open'),
      acquire_wait_p95_ms: z.number().describe('Of the worst lane that people wait for'),
    }),
    work: z
      .object({
        state: z.enum(['idle', 'running', 'paused', 'draining', 'closed']),
        concurrency: z.int().describe('Uploads it takes at the same time'),
        active: z.int(),
        progress_at: z.iso.datetime().nullable().describe('When a job of it last moved on'),
        healthy: z.boolean().describe('False: it has jobs and none of them moves on'),
        detail: z.string().nullable().describe('What is the matter'),
        service_seconds: z.number().nullable().describe('Mean of the jobs that it has done lately'),
      })
      .nullable()
      .describe('Of workers'),
  })
  .meta({ id: 'Replica' });

export const poolReportSchema = z
  .object({
    pool_status: poolStatusSchema,
    connection_healthy: z.boolean(),
    connection_latency_ms: z.number().nullable().describe('Of a statement through the control lane'),
    connection_error: z.string().nullable(),
    pool_utilization: z.object({
      usage_percent: z.number().describe('Checked out, of core and overflow'),
      available_connections: z.int().describe('That could be lent now, those included that are not open yet'),
    }),
    budget: z
      .object({
        driver: z.string(),
        state: z.string(),
        limit: z.int().describe('Connections of the server for all processes, reserve included'),
        reserve: z.int(),
        share: z.int().describe('Of this process'),
        granted: z.int().describe('Above the share while borrowers finish'),
        weight: z.number(),
        floor: z.int(),
        cap: z.int().describe('What this process would take at most'),
        degraded: z.string().exactOptional(),
        members: z.int(),
        waiting: z.int().describe('Processes for which there was no share'),
      })
      .nullable()
      .describe('How the processes share the connections of the server; null without a budget'),
    standbys: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['unknown', 'up', 'down', 'promoted']),
        usable: z.boolean(),
        lag_ms: z.number().nullable().describe('Null when it cannot be told'),
        reads: z.int(),
        error: z.string().nullable(),
      }),
    ),
    replicas: z.array(replicaSchema).describe('Every gateway and worker that was seen lately'),
  })
  .meta({ id: 'PoolReport' });

/** Each with the figures that it rests on. A test provokes every one of them on a real server. */
export const recommendationIds = [
  'pool_use_high',
  'pool_overflow_often',
  'pool_wait_long',
  'fleet_too_large',
  'collection_without_index',
  'index_build_failed',
  'index_unused',
  'dead_rows',
  'cache_hit_rate_low',
  'answer_cache_hit_rate_low',
  'shared_buffers_small',
  'index_memory_small',
  'shared_memory_small',
  'pgvector_old',
  'queue_may_evict',
  'no_worker',
  'worker_stuck',
  'uploads_failed',
] as const;

export const recommendationSchema = z
  .object({
    id: z.enum(recommendationIds),
    severity: z.enum(['critical', 'warning', 'info']),
    subject: z
      .string()
      .nullable()
      .describe('What it is about, where there are several: a collection, an index'),
    summary: z.string().describe('What is the matter and what to do, in a sentence or two'),
    evidence: z.record(z.string(), figure).describe('The figures that it rests on, by name with unit'),
    setting: z.string().nullable().describe('The setting that helps'),
    command: z.string().nullable().describe('The command that helps'),
  })
  .meta({ id: 'Recommendation' });

const collectionStatsSchema = z
  .object({
    collection: z.string(),
    documents: z.int(),
    distinct_sources: z.int().describe('Different file names among the documents'),
    chunks: z.int(),
    dimensions: z.int(),
    mean_length: z.number().nullable().describe('Characters of a chunk; null when there is none'),
    bytes: z.int().describe('Of the chunks and their indexes'),
    index_bytes: z.int().describe('Of the vector index; 0 without one'),
    index: z.enum(['none', 'building', 'ready']).describe('Of the vectors; without it searches are exact'),
    dead_rows_percent: z.number(),
    uploads_pending: z.int(),
  })
  .meta({ id: 'CollectionStats' });

export const databaseStatsSchema = z
  .object({
    collection_stats: z.array(collectionStatsSchema),
    connection_pool: poolStatusSchema,
    database: z.object({
      postgres: z.string(),
      pgvector: z.string().nullable(),
      bytes: z.int(),
      connections: z.int().describe('Of all clients of the server'),
      max_connections: z.int(),
      cache_hit_percent: z.number().nullable().describe('Blocks of this database found in shared_buffers'),
      shared_buffers_bytes: z.int(),
      maintenance_work_mem_bytes: z.int(),
    }),
    recommendations: z.array(recommendationSchema),
  })
  .meta({ id: 'DatabaseStats' });

export const queueReportSchema = z
  .object({
    queues: z.array(
      z.object({
        name: z.string(),
        waiting: z.int(),
        active: z.int(),
        delayed: z.int(),
        failed: z.int(),
        completed: z.int(),
      }),
    ),
    uploads: z.object({
      queued: z.int(),
      processing: z.int(),
      failed: z.int(),
      oldest_age_seconds: z.number().describe('How long the oldest one has waited; 0 when none waits'),
    }),
  })
  .meta({ id: 'QueueReport' });

export const scalingSchema = z
  .object({
    queue_depth: z.int().describe('Uploads that wait'),
    oldest_age_seconds: z.number(),
    arrival_per_second: z.number().describe('Uploads, of the last minute'),
    service_seconds: z
      .number()
      .nullable()
      .describe('Of one upload, mean of the last ones; null when unknown'),
    target_age_seconds: z.number().describe('What the wait of the oldest one is to stay below'),
    concurrency: z.int().describe('Uploads that one worker takes at the same time'),
    workers: z.int().describe('Seen lately'),
    needed_workers: z.int(),
    reason: z.string(),
  })
  .meta({ id: 'Scaling' });

export type PoolStatusBody = z.input<typeof poolStatusSchema>;
export type ReplicaBody = z.input<typeof replicaSchema>;
export type PoolReportBody = z.input<typeof poolReportSchema>;
export type RecommendationId = (typeof recommendationIds)[number];
export type RecommendationBody = z.input<typeof recommendationSchema>;
export type CollectionStatsBody = z.input<typeof collectionStatsSchema>;
export type DatabaseStatsBody = z.input<typeof databaseStatsSchema>;
export type QueueReportBody = z.input<typeof queueReportSchema>;
export type ScalingBody = z.input<typeof scalingSchema>;
