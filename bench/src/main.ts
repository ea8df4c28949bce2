// Usage: npm run bench -- [--quick] [--docs FOLDER] [BENCHMARK...]
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { benchmarks, chooseBenchmarks } from './benchmarks/index.ts';
import { runBenchmarks } from './run.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    docs: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const help = `npm run bench -- [--quick] [--docs FOLDER] [BENCHMARK...]

${benchmarks.map(({ name, title }) => `  ${name.padEnd(22)}${title}`).join('\n')}

Without a name all of them run, for about 12 minutes, and are written to docs/benchmarks.md.
  --quick         a smoke run: prints tables whose figures mean nothing, and writes no page
  --docs FOLDER   where benchmarks.md and images/ are written; default docs, with --quick nowhere
`;

if (values.help) process.stdout.write(help);
else {
  const folder = values.docs ?? (values.quick ? undefined : join(import.meta.dirname, '../../docs'));
  await runBenchmarks(chooseBenchmarks(positionals), {
    quick: values.quick,
    docs: folder === undefined ? undefined : resolve(folder),
  });
}
