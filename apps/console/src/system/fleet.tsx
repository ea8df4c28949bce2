import type { PoolReportBody, ReplicaBody } from '@sluice/contract';
import { strings } from '../strings/index.ts';
import { Table } from './table.tsx';

function stateOf({ work }: ReplicaBody): string {
  const words = strings.value.system;
  if (!work) return '–';
  return work.healthy ? words.work[work.state] : words.stuck;
}

function Budget({ budget }: Pick<PoolReportBody, 'budget'>) {
  const { system: words, format } = strings.value;
  if (!budget) return <p class="small">{words.noBudget}</p>;
  return (
    <p class="small facts">
      <b>{words.budgetOf(budget.driver, budget.state)}</b>
      <span>
        {words.limit} {format.whole(budget.limit)}
      </span>
      <span>
        {words.reserve} {format.whole(budget.reserve)}
      </span>
      <span>
        {words.share} {format.whole(budget.share)}
      </span>
      <span>
        {words.members} {format.whole(budget.members)}
      </span>
      {budget.waiting > 0 && (
        <span>
          {words.laneWaiting} {format.whole(budget.waiting)}
        </span>
      )}
    </p>
  );
}

function Replicas({ replicas }: Pick<PoolReportBody, 'replicas'>) {
  const { system: words, format } = strings.value;
  if (replicas.length === 0) return <p class="empty">{words.noReplicas}</p>;
  return (
    <Table
      label={words.replicas}
      rows={replicas}
      keyOf={({ id }) => id}
      columns={[
        { title: words.process, cell: ({ role, host, pid }) => `${words.roles[role]} ${host}:${pid}` },
        { title: words.state, cell: (replica) => stateOf(replica) },
        {
          title: words.uploads,
          figure: true,
          cell: ({ work }) => (work ? words.working(work.active, work.concurrency) : '–'),
        },
        {
          title: words.pool,
          figure: true,
          cell: ({ pool }) =>
            words.working(pool.checked_out, pool.budget_share ?? pool.pool_size + pool.max_overflow),
        },
        { title: words.laneWaiting, figure: true, cell: ({ pool }) => format.whole(pool.waiting) },
        { title: words.version, cell: ({ version }) => version },
        { title: words.up, cell: ({ started_at: started }) => format.time(started) },
        { title: words.seen, cell: ({ seen_at: seen }) => format.since(seen) },
      ]}
    />
  );
}

function Standbys({ standbys }: Pick<PoolReportBody, 'standbys'>) {
  const { system: words, format } = strings.value;
  if (standbys.length === 0) return null;
  return (
    <Table
      label={words.standbys}
      rows={standbys}
      keyOf={({ name }) => name}
      columns={[
        { title: words.standbys, cell: ({ name }) => name },
        { title: words.state, cell: ({ state, error }) => error ?? words.standbyStates[state] },
        {
          title: words.lag,
          figure: true,
          cell: ({ lag_ms: lag }) => (lag === null ? '–' : format.duration(lag)),
        },
        { title: words.reads, figure: true, cell: ({ reads }) => format.whole(reads) },
      ]}
    />
  );
}

/** Who runs, and how the connections of the server are shared out. */
export function Fleet({ report }: { report: PoolReportBody }) {
  return (
    <>
      <Budget budget={report.budget} />
      <Replicas replicas={report.replicas} />
      <Standbys standbys={report.standbys} />
    </>
  );
}
