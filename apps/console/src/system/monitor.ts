import { type ReadonlySignal, signal } from '@preact/signals';
import type {
  DatabaseStatsBody,
  PoolReportBody,
  QualityBody,
  QueueReportBody,
  Readiness,
  ScalingBody,
} from '@sluice/contract';
import type { ApiError } from '../api/api-error.ts';
import type { Api } from '../api/client.ts';
import type { Connection } from '../api/connection.ts';
import { toApiError } from '../api/to-api-error.ts';
import { createHistory, type LaneHistory } from './history.ts';

const quickMs = 2_000;
const slowMs = 10_000;
const maxMeasured = 12;

/** The last answer and why there was none the last time. What was known stays in sight while the server is away. */
export interface Report<T> {
  value: T | null;
  error: ApiError | null;
}

export interface Monitor {
  health: ReadonlySignal<Report<Readiness>>;
  pool: ReadonlySignal<Report<PoolReportBody>>;
  database: ReadonlySignal<Report<DatabaseStatsBody>>;
  queues: ReadonlySignal<Report<QueueReportBody>>;
  scaling: ReadonlySignal<Report<ScalingBody>>;
  /** How well searches of a collection find what there is, by its name */
  recall: ReadonlySignal<ReadonlyMap<string, QualityBody>>;
  /** By name of the lane */
  lanes: ReadonlySignal<ReadonlyMap<string, LaneHistory>>;
  /** Begins to ask; the function returned ends it. */
  watch(): () => void;
}

const unknown = { value: null, error: null };

/** The state of the service, asked for while somebody watches: the pool every two seconds, all else every ten. */
export function createMonitor(
  api: Pick<Api, 'readiness' | 'poolStatus' | 'databaseStats' | 'queues' | 'scaling' | 'readQuality'>,
  connection: Connection,
): Monitor {
  const health = signal<Report<Readiness>>(unknown);
  const pool = signal<Report<PoolReportBody>>(unknown);
  const database = signal<Report<DatabaseStatsBody>>(unknown);
  const queues = signal<Report<QueueReportBody>>(unknown);
  const scaling = signal<Report<ScalingBody>>(unknown);
  const recall = signal<ReadonlyMap<string, QualityBody>>(new Map());
  const history = createHistory();
  let refreshAll = () => {};

  async function read<T>(into: { value: Report<T> }, request: () => Promise<T>): Promise<T | null> {
    try {
      const value = await request();
      into.value = { value, error: null };
      return value;
    } catch (cause) {
      const error = toApiError(cause);
      // Whoever may not see it any more sees nothing old either.
      into.value = { value: error.status === 0 || error.status >= 500 ? into.value.value : null, error };
      return null;
    }
  }

  /** A key that may not see it is not asked about every two seconds: every refusal is a line in the log of the gateway. */
  const isRefused = () => pool.value.error?.status === 403 || pool.value.error?.status === 401;

  async function readQuick(): Promise<void> {
    if (!isRefused()) await readPool();
  }

  async function readPool(): Promise<void> {
    const report = await read(pool, api.poolStatus);
    if (report) history.add(report.pool_status.lanes);
  }

  /** Of the first collections: it is a request each. */
  async function readRecall(stats: DatabaseStatsBody | null): Promise<void> {
    const names = stats?.collection_stats.slice(0, maxMeasured).map(({ collection }) => collection) ?? [];
    const read = await Promise.all(names.map((name) => api.readQuality(name).catch(() => null)));
    recall.value = new Map(read.flatMap((quality) => (quality ? [[quality.collection, quality]] : [])));
  }

  async function readSlow(): Promise<void> {
    await Promise.all([
      isRefused() ? readPool() : undefined,
      read(health, api.readiness),
      read(queues, api.queues),
      read(scaling, api.scaling),
      read(database, api.databaseStats).then(readRecall),
    ]);
  }

  connection.onBack(() => refreshAll());

  return {
    health,
    pool,
    database,
    queues,
    scaling,
    recall,
    lanes: history.lanes,
    watch() {
      let watching = true;
      const repeat = async (work: () => Promise<void>, ms: number) => {
        if (!document.hidden && !connection.lost.value) await work();
        if (watching) setTimeout(() => void (watching && repeat(work, ms)), ms);
      };
      refreshAll = () => void Promise.all([readQuick(), readSlow()]);
      void repeat(readQuick, quickMs);
      void repeat(readSlow, slowMs);
      return () => {
        watching = false;
        refreshAll = () => {};
      };
    },
  };
}
