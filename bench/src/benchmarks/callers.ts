import type { Benchmark } from '../benchmark.ts';
import { createOurs } from '../contenders/ours.ts';
import { createPgPool } from '../contenders/pg-pool.ts';
import { callsOf, type QueryName } from '../contenders/queries.ts';
import { searchVectors } from '../database.ts';
import { errors, p50, p99, rampFor, runClosedLoop, throughput } from '../measure/load.ts';
import { alternate, type Case, figure, type Metric } from '../measure/rounds.ts';
import { drawChart, type Panel } from '../report/chart.ts';

const alt = 'Throughput and p99 of select 1 and of the search by number of callers, ours and pg-pool';

interface Level {
  query: QueryName;
  callers: number;
  measured: Case;
}

export const callersBenchmark: Benchmark = {
  name: 'callers',
  title: 'From 1 to 512 callers',
  what: `The same two queries by 1, 2, 4, ... 512 callers, of whom each asks again as soon as it has its answer. Ours with its
default lanes and 20 connections + 30 of overflow, \`pg-pool\` with a maximum of 50. The bands of the chart reach from the
least to the most of the rounds.`,

  async run(context) {
    const connectionString = await context.passages();
    const pace = context.quick ? { rounds: 1, measureMs: 100 } : { rounds: 3, measureMs: 500 };
    const counts = context.quick ? [1, 8, 64, 512] : [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
    await using ours = createOurs('pool', { connectionString });
    await using peer = createPgPool('pg-pool 50', { connectionString, max: 50 });
    const vectors = searchVectors(200);

    const levels: Level[] = [];
    for (const query of ['select 1', 'search'] satisfies QueryName[]) {
      for (const callers of counts) {
        const contenders = [ours, peer].map((database) => ({
          name: database.name,
          measure: () =>
            runClosedLoop({
              callers,
              rampMs: rampFor(callers),
              measureMs: pace.measureMs,
              call: callsOf(database, query, vectors),
            }),
        }));
        const name = `${query}, ${callers} ${callers === 1 ? 'caller' : 'callers'}`;
        const measured = await alternate(name, contenders, { ...pace, onRound: context.progress });
        levels.push({ query, callers, measured });
      }
    }
    const names = [ours.name, peer.name];
    return {
      cases: levels.map(({ measured }) => measured),
      comparisons: [{ ours: ours.name, peers: [peer.name], metrics: [throughput, p99] }],
      metrics: [throughput, p50, p99, errors],
      charts: [
        {
          file: 'bench-callers.svg',
          alt,
          svg: drawChart({
            alt,
            xTitle: 'callers',
            panels: [
              panel('select 1', throughput, levels, names),
              panel('select 1', p99, levels, names),
              panel('search', throughput, levels, names),
              panel('search', p99, levels, names),
            ],
          }),
        },
      ],
    };
  },
};

function panel(query: QueryName, metric: Metric, levels: readonly Level[], names: readonly string[]): Panel {
  const ofQuery = levels.filter((level) => level.query === query);
  return {
    title: `${query}: ${metric.title}`,
    scale: metric === throughput ? 'linear' : 'log',
    x: ofQuery.map(({ callers }) => String(callers)),
    lines: names.map((name) => ({
      name,
      points: ofQuery.map(({ measured }) => figure(measured, name, metric)),
    })),
  };
}
