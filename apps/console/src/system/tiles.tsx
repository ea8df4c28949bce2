import type { PoolReportBody, QueueReportBody, ScalingBody } from '@sluice/contract';
import { strings } from '../strings/index.ts';
import type { Monitor } from './monitor.ts';

interface TileProps {
  name: string;
  label: string;
  value: string;
  note?: string | false;
  /** It is not as it should be. */
  bad?: boolean;
}

function Tile({ name, label, value, note, bad = false }: TileProps) {
  return (
    <div class="tile" data-tile={name} data-bad={bad}>
      <dt>{label}</dt>
      <dd>
        <b>{value}</b>
        {note && <span class="small">{note}</span>}
      </dd>
    </div>
  );
}

function WorkTiles({ scaling, queues }: { scaling: ScalingBody; queues: QueueReportBody | null }) {
  const { system: words, format } = strings.value;
  const late = scaling.oldest_age_seconds > scaling.target_age_seconds;
  return (
    <>
      <Tile
        name="needed"
        label={words.needed}
        value={format.whole(scaling.needed_workers)}
        note={words.running(scaling.workers)}
        bad={scaling.needed_workers > scaling.workers}
      />
      <Tile
        name="oldest"
        label={words.oldest}
        value={format.duration(1_000 * scaling.oldest_age_seconds)}
        note={words.target(1_000 * scaling.target_age_seconds)}
        bad={late}
      />
      <Tile
        name="depth"
        label={words.depth}
        value={format.whole(scaling.queue_depth)}
        note={queues !== null && words.underWay(queues.uploads.processing)}
      />
      <Tile
        name="arrival"
        label={words.arrival}
        value={format.decimal(60 * scaling.arrival_per_second)}
        note={scaling.service_seconds !== null && words.service(1_000 * scaling.service_seconds)}
      />
    </>
  );
}

function PoolTiles({ pool }: { pool: PoolReportBody }) {
  const { system: words, format } = strings.value;
  const { pool_status: status, pool_utilization: use, connection_latency_ms: latency } = pool;
  return (
    <>
      <Tile
        name="pool"
        label={words.poolUse}
        value={format.percent(use.usage_percent)}
        note={words.ofConnections(status.checked_out, status.pool_size + status.max_overflow)}
        bad={use.usage_percent >= 90}
      />
      <Tile
        name="latency"
        label={words.latency}
        value={latency === null ? '–' : format.duration(latency)}
        note={pool.connection_error ?? words.latencyNote}
        bad={!pool.connection_healthy}
      />
    </>
  );
}

/** The figures that answer most questions at once. */
export function Tiles({ monitor }: { monitor: Monitor }) {
  const scaling = monitor.scaling.value.value;
  const pool = monitor.pool.value.value;
  if (!scaling && !pool) return null;
  return (
    <div>
      <dl class="tiles">
        {scaling && <WorkTiles scaling={scaling} queues={monitor.queues.value.value} />}
        {pool && <PoolTiles pool={pool} />}
      </dl>
      {scaling && (
        <p class="small reason">
          {strings.value.system.needed}: <span lang="en">{scaling.reason}</span>
        </p>
      )}
    </div>
  );
}
