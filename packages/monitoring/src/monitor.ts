import type { DatabaseStatsBody, PoolReportBody, QueueReportBody, ScalingBody } from '@sluice/contract';
import type { BudgetStatus, Pool, PoolStatus, ReadRouterStatus } from '@sluice/pool';
import {
  countFailures,
  listProcesses,
  type RunningProcess,
  readCollectionFigures,
  readServerStatistics,
  readUploadFigures,
  type ServerFacts,
} from '@sluice/store';
import { createArrivalRate } from './arrival-rate.ts';
import { presumedGoneMs } from './heartbeat.ts';
import { neededWorkers, type ScalingRule } from './needed-workers.ts';
import {
  presentCollection,
  presentReplica,
  presentScaling,
  presentUploads,
  presentUtilization,
} from './present.ts';
import type { ProcessReport, WorkReport } from './process-report.ts';
import type { Evidence, EvidenceSettings } from './recommendations/evidence.ts';
import { recommend } from './recommendations/recommend.ts';
import { remembered } from './remembered.ts';

export interface MonitorOptions {
  pool: Pick<Pool, 'lane' | 'status' | 'testConnection'>;
  facts(): Promise<ServerFacts>;
  budget(): BudgetStatus | undefined;
  standbys(): ReadRouterStatus['replicas'];
  cache(): Evidence['cache'];
  /** Of the queue's Redis, if there is one. */
  evictionPolicy(): Promise<string | undefined>;
  jobCounts(): Promise<QueueReportBody['queues']>;
  settings: EvidenceSettings;
  scaling: ScalingRule & {
    /** Of workers, while none was seen. */
    concurrency: number;
  };
}

/** What the monitoring endpoints answer. Figures are some seconds old at most, and read once for all who ask. */
export interface Monitor {
  poolReport(): Promise<PoolReportBody>;
  databaseStats(): Promise<DatabaseStatsBody>;
  queueReport(): Promise<QueueReportBody>;
  scaling(): Promise<ScalingBody>;
  /** Of workers that were seen lately. */
  workers(): Promise<WorkReport[]>;
}

const quickMs = 1_000;
// Sums over all documents, and the sizes of all tables.
const heavyMs = 5_000;
const failuresShown = 5;

const isThere = ({ silentMs }: RunningProcess<ProcessReport>) => silentMs < presumedGoneMs;

/** Of workers that have done something lately, gone ones included: one that was scaled to zero has known how long an upload takes. */
function meanServiceSeconds(processes: readonly RunningProcess<ProcessReport>[]): number | undefined {
  let seconds = 0;
  let jobs = 0;
  for (const { report } of processes) {
    if (!report.work?.jobs || report.work.serviceSeconds === null) continue;
    seconds += report.work.serviceSeconds * report.work.jobs;
    jobs += report.work.jobs;
  }
  return jobs > 0 ? seconds / jobs : undefined;
}

export function createMonitor(options: MonitorOptions): Monitor {
  const { pool } = options;
  const control = pool.lane('control');
  const arrivals = createArrivalRate();
  const processes = remembered(() => listProcesses<ProcessReport>(control), quickMs);
  const uploads = remembered(async () => {
    const figures = await readUploadFigures(control);
    arrivals.observe(figures.lastSequence);
    return figures;
  }, quickMs);
  const queues = remembered(() => options.jobCounts(), quickMs);

  async function readEvidence(): Promise<Evidence> {
    const [facts, server, collections, running, figures, failures, evictionPolicy] = await Promise.all([
      options.facts(),
      readServerStatistics(control),
      readCollectionFigures(control),
      processes(),
      uploads(),
      countFailures(control, failuresShown),
      // A queue that does not answer is named by the readiness; there is enough to tell without it.
      options.evictionPolicy().catch(() => undefined),
    ]);
    return {
      facts,
      server,
      collections,
      processes: running.filter(isThere),
      budget: options.budget(),
      cache: options.cache(),
      evictionPolicy,
      uploads: figures,
      failures,
      settings: options.settings,
    };
  }
  const evidence = remembered(readEvidence, heavyMs);

  async function poolReport(): Promise<PoolReportBody> {
    // Before anything is borrowed for this answer.
    const status: PoolStatus = pool.status();
    const [{ healthy, latencyMs, error }, running] = await Promise.all([
      pool.testConnection(),
      // A database that does not answer is what this report has to show.
      processes().catch(() => []),
    ]);
    return {
      pool_status: { ...status },
      connection_healthy: healthy,
      connection_latency_ms: healthy ? Math.round(latencyMs * 10) / 10 : null,
      connection_error: error ?? null,
      pool_utilization: presentUtilization(status),
      budget: options.budget() ?? null,
      standbys: options.standbys(),
      replicas: running.filter(isThere).map(presentReplica),
    };
  }

  async function databaseStats(): Promise<DatabaseStatsBody> {
    const status: PoolStatus = pool.status();
    const found = await evidence();
    const { facts, server } = found;
    const blocks = server.blocksHit + server.blocksRead;
    return {
      collection_stats: found.collections.map(presentCollection),
      connection_pool: { ...status },
      database: {
        postgres: facts.postgres,
        pgvector: facts.pgvector,
        bytes: server.bytes,
        connections: server.connections,
        max_connections: server.maxConnections,
        cache_hit_percent: blocks > 0 ? Math.round((1_000 * server.blocksHit) / blocks) / 10 : null,
        shared_buffers_bytes: server.sharedBuffersBytes,
        maintenance_work_mem_bytes: server.maintenanceWorkMemBytes,
      },
      recommendations: recommend(found),
    };
  }

  async function queueReport(): Promise<QueueReportBody> {
    const [jobs, figures] = await Promise.all([queues(), uploads()]);
    return { queues: jobs, uploads: presentUploads(figures) };
  }

  const workers = async () => (await processes()).filter(isThere).flatMap(({ report }) => report.work ?? []);

  async function scaling(): Promise<ScalingBody> {
    const [figures, known, seen] = await Promise.all([uploads(), processes(), workers()]);
    const demand = {
      arrivalPerSecond: arrivals.perSecond(),
      serviceSeconds: meanServiceSeconds(known),
      concurrency:
        seen.length > 0
          ? seen.reduce((sum, { concurrency }) => sum + concurrency, 0) / seen.length
          : options.scaling.concurrency,
      workers: seen.length,
    };
    const advice = neededWorkers({ ...demand, ...figures }, options.scaling);
    return presentScaling(
      { ...demand, uploads: figures, targetAgeSeconds: options.scaling.targetAgeSeconds },
      advice,
    );
  }

  return { poolReport, databaseStats, queueReport, scaling, workers };
}
