import { join } from 'node:path';
import type { RunningPostgres } from '@sluice/testing';
import type { Benchmark, BenchmarkContext } from './benchmark.ts';
import { benchmarks } from './benchmarks/index.ts';
import { loadPassages, startDatabase } from './database.ts';
import { describeCircumstances } from './report/circumstances.ts';
import { writeCharts, writePage } from './report/document.ts';
import { renderSection } from './report/section.ts';

export interface RunOptions {
  quick: boolean;
  /** Folder of benchmarks.md and images/; undefined: nothing is written. */
  docs: string | undefined;
}

const say = (text: string) => void process.stderr.write(`${text}\n`);

/** One after the other on one server. Prints each section, and writes it as soon as it is there. */
export async function runBenchmarks(
  chosen: readonly Benchmark[],
  { quick, docs }: RunOptions,
): Promise<void> {
  await using server = await startDatabase();
  const context = createContext(server, quick);
  for (const benchmark of chosen) {
    say(`${benchmark.name}: ${benchmark.title}`);
    const findings = await benchmark.run(context);
    const command = `npm run bench -- ${benchmark.name}${quick ? ' --quick' : ''}`;
    const section = renderSection(benchmark, findings, await describeCircumstances(server.url, command));
    process.stdout.write(`\n${section}\n\n`);
    if (docs === undefined) continue;
    const order = benchmarks.map(({ name }) => name);
    await writeCharts(join(docs, 'images'), findings.charts ?? []);
    await writePage(join(docs, 'benchmarks.md'), order, new Map([[benchmark.name, section]]));
  }
}

function createContext(server: RunningPostgres, quick: boolean): BenchmarkContext {
  let loaded: Promise<string> | undefined;
  async function load(): Promise<string> {
    say('  loading vectors and building their index');
    await loadPassages(server.url);
    return server.url;
  }
  return {
    quick,
    progress: (text) => say(`  ${text}`),
    server: async () => server,
    passages() {
      loaded ??= load();
      return loaded;
    },
  };
}
