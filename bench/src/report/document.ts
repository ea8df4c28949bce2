import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Chart } from '../benchmark.ts';

const intro = `# Benchmarks

\`npm run bench\` measures all of this, \`npm run bench -- acquire\` one section; the program writes this page. It starts a
Postgres of its own with \`deploy/postgres.conf\`, on the machine that also runs the clients, so read the ratios: the absolute
figures are those of a small shared machine.

- Everything runs in one process. Contenders take turns round by round (A B, B A, ...), after a round that is dropped.
- A figure is the median of the rounds, with the least and the most of them in brackets.
- A ratio is taken within each round, and **over 1 always means that ours is better**. One whose brackets reach from below 1
  to above 1 is noise.
- Peers get the same work: the same texts, prepared statements, and binary parameters.
`;

const startOf = (name: string) => `<!-- bench: ${name} -->`;
const endOf = (name: string) => `<!-- end: ${name} -->`;

/** What is between its marks in the page as it is, undefined when there is nothing. */
function findSection(page: string, name: string): string | undefined {
  const start = page.indexOf(startOf(name));
  const end = page.indexOf(endOf(name));
  return start < 0 || end < start ? undefined : page.slice(start + startOf(name).length, end).trim();
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** Replaces the sections that have been measured and keeps the others, in the order of `names`. */
export async function writePage(
  file: string,
  names: readonly string[],
  measured: ReadonlyMap<string, string>,
): Promise<void> {
  const page = await readIfThere(file);
  const sections = names.flatMap((name) => {
    const text = measured.get(name) ?? findSection(page, name);
    return text === undefined ? [] : [`${startOf(name)}\n\n${text}\n\n${endOf(name)}\n`];
  });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, [intro, ...sections].join('\n'));
}

export async function writeCharts(folder: string, charts: readonly Chart[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { file, svg } of charts) await writeFile(join(folder, file), svg);
}
