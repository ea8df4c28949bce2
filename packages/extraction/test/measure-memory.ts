/**
 * Prints how much memory a process takes to read large documents of every kind, each in a new process.
 * Usage: node packages/extraction/test/measure-memory.ts [--megabytes 100] [--threads 2] [--memory 160] [--at-once 1]
 *   [--leave-at CHARACTERS] [--timeout 300] [KIND...]
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { largeDocuments } from './support/large.ts';
import { readInProcess } from './support/read-in-process.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    megabytes: { type: 'string', default: '100' },
    threads: { type: 'string', default: '2' },
    memory: { type: 'string', default: '160' },
    'at-once': { type: 'string', default: '1' },
    'leave-at': { type: 'string' },
    timeout: { type: 'string', default: '300' },
  },
});
const options = {
  threads: Number(values.threads),
  memoryMb: Number(values.memory),
  timeoutMs: Number(values.timeout) * 1_000,
  maxExpandedBytes: 2 ** 30,
};
const leaveAt = values['leave-at'] === undefined ? undefined : Number(values['leave-at']);
const folder = await mkdtemp(join(tmpdir(), 'measure-'));
const line = (cells: readonly unknown[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);

line(['document', 'file, MB', 'resident at most, MiB', 'seconds', 'outcome']);
line(['---', '---:', '---:', '---:', '---']);
try {
  for (const [kind, { format, write }] of Object.entries(largeDocuments)) {
    if (positionals.length > 0 && !positionals.includes(kind)) continue;
    const path = join(folder, 'document');
    await write(path, Number(values.megabytes) * 1e6);
    const { size } = await stat(path);
    const documents = Array.from({ length: Number(values['at-once']) }, () => ({ path, format }));
    const { outcomes, peakBytes } = await readInProcess({ options, documents, leaveAt });
    const seconds = Math.max(...outcomes.map(({ milliseconds }) => milliseconds)) / 1_000;
    const codes = outcomes.map(({ code, characters }) => `${code} ${(characters / 1e6).toFixed(1)} M`);
    line([
      kind,
      (size / 1e6).toFixed(1),
      Math.round(peakBytes / 2 ** 20),
      seconds.toFixed(1),
      codes.join(', '),
    ]);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
