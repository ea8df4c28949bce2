import type { PoolReportBody } from '@sluice/contract';
import { strings } from '../strings/index.ts';
import { Chart } from './chart.tsx';
import type { LaneHistory } from './history.ts';

type Lane = PoolReportBody['pool_status']['lanes'][string];

interface LaneCardProps {
  name: string;
  lane: Lane;
  history: LaneHistory;
}

function LaneCard({ name, lane, history }: LaneCardProps) {
  const { system: words, format } = strings.value;
  const title = words.lane[name] ?? name;
  const counted = [
    [words.guaranteed, lane.guaranteed],
    [words.most, lane.max],
    [words.refused, lane.shed],
    [words.timedOut, lane.timeouts],
  ] as const;
  return (
    <li class="lane" data-lane={name}>
      <h3>
        {title} <span class="small">{words.laneNote[name]}</span>
        {lane.overloaded && <span class="badge bad">{words.overloaded}</span>}
      </h3>
      <Chart
        label={words.chartOf(title)}
        times={history.times}
        atLeast={Math.max(2, lane.guaranteed)}
        format={format.whole}
        series={[
          {
            name: words.checkedOut,
            now: format.whole(lane.checked_out),
            values: history.checkedOut,
            tone: 'first',
          },
          {
            name: words.laneWaiting,
            now: format.whole(lane.waiting),
            values: history.waiting,
            tone: 'second',
          },
        ]}
      />
      <Chart
        label={words.waitChartOf(title)}
        times={history.times}
        atLeast={1}
        format={format.duration}
        series={[
          {
            name: words.p95,
            now: format.duration(lane.acquire_wait_ms.p95),
            values: history.waitP95,
            tone: 'third',
          },
        ]}
      />
      <p class="small facts">
        {counted.map(
          ([label, value]) =>
            value !== null && (
              <span key={label}>
                {label} {format.whole(value)}
              </span>
            ),
        )}
      </p>
    </li>
  );
}

const empty: LaneHistory = { times: [], checkedOut: [], waiting: [], waitP95: [] };

export interface LanesProps {
  report: PoolReportBody;
  histories: ReadonlyMap<string, LaneHistory>;
}

export function Lanes({ report, histories }: LanesProps) {
  return (
    <ul class="lanes">
      {Object.entries(report.pool_status.lanes).map(([name, lane]) => (
        <LaneCard key={name} name={name} lane={lane} history={histories.get(name) ?? empty} />
      ))}
    </ul>
  );
}
