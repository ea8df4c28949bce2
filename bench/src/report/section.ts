import { markdownTable } from 'markdown-table';
import type { Benchmark, Findings } from '../benchmark.ts';
import { type Case, figure, ratio } from '../measure/rounds.ts';
import type { Spread } from '../measure/statistics.ts';
import { formatRatio, formatSpread } from './format.ts';

interface Ratio {
  where: string;
  ours: string;
  peer: string;
  metric: string;
  value: Spread;
}

function ratiosOf({ cases, comparisons }: Findings): Ratio[] {
  return cases.flatMap((one) =>
    comparisons.flatMap(({ ours, peers, metrics }) =>
      peers.flatMap((peer) =>
        metrics.map((metric) => ({
          where: one.name,
          ours,
          peer,
          metric: metric.title,
          value: ratio(one, ours, peer, metric),
        })),
      ),
    ),
  );
}

/** A table for each set of metrics: a row for each case and pair. */
function ratioTables(findings: Findings): string[] {
  const sets = Map.groupBy(findings.comparisons, ({ metrics }) => metrics.map(({ key }) => key).join());
  return [...sets.values()].map((comparisons) => {
    const { metrics } = comparisons[0] as (typeof comparisons)[number];
    const rows = findings.cases.flatMap((one) =>
      comparisons.flatMap(({ ours, peers }) =>
        peers.map((peer) => [
          one.name,
          ours,
          peer,
          ...metrics.map((metric) => formatRatio(ratio(one, ours, peer, metric))),
        ]),
      ),
    );
    return table(
      ['', 'ours', 'peer', ...metrics.map(({ title }) => `${title.replace(/ ms$/, '')}, ratio`)],
      rows,
      3,
    );
  });
}

function figuresTable({ cases, metrics }: Findings): string {
  const rows = cases.flatMap((one: Case) =>
    [...one.rounds.keys()].map((contender) => [
      one.name,
      contender,
      ...metrics.map((metric) => formatSpread(figure(one, contender, metric))),
    ]),
  );
  return table(['', 'who', ...metrics.map(({ title }) => title)], rows, 2);
}

function table(head: readonly string[], rows: readonly (readonly string[])[], labels: number): string {
  return markdownTable([head, ...rows], { align: head.map((_, i) => (i < labels ? 'l' : 'r')) });
}

/** Said in words, so that nobody has to look for it. */
function whatIsSlower(findings: Findings): string {
  const worse = ratiosOf(findings).filter(({ value }) => value.median < 1);
  const name = ({ where, ours, peer, metric, value }: Ratio) =>
    `- ${where}: ${metric} of \`${ours}\` against \`${peer}\`, ${formatRatio(value)}`;
  const [always, mostly] = [
    worse.filter(({ value }) => value.most < 1),
    worse.filter(({ value }) => value.most >= 1),
  ];
  const list = (title: string, ratios: Ratio[]) =>
    ratios.length > 0 ? [`${title}\n\n${ratios.map(name).join('\n')}`] : [];
  if (worse.length === 0) return 'By the median, ours is worse nowhere in this table.';
  return [
    ...list('Ours is worse in every round:', always),
    ...list('Ours is worse by the median, but not in every round:', mostly),
  ].join('\n\n');
}

/** One section of docs/benchmarks.md, ratios first. */
export function renderSection(benchmark: Benchmark, findings: Findings, circumstances: string): string {
  return [
    `## ${benchmark.title}`,
    benchmark.what,
    ...ratioTables(findings),
    whatIsSlower(findings),
    ...(findings.charts ?? []).map(({ file, alt }) => `![${alt}](images/${file})`),
    figuresTable(findings),
    circumstances,
  ].join('\n\n');
}
