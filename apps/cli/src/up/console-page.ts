import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { note, paintNote } from '../terminal.ts';

const folder = fileURLToPath(new URL('../../../console/', import.meta.url));
const sources = ['src', 'public', 'index.html', 'vite.config.ts', 'package.json'];

async function newestChange(path: string): Promise<number> {
  if (!existsSync(path)) return 0;
  const about = await stat(path);
  if (!about.isDirectory()) return about.mtimeMs;
  const names = await readdir(path);
  const times = await Promise.all(names.map((name) => newestChange(join(path, name))));
  return Math.max(about.mtimeMs, ...times);
}

async function isStale(): Promise<boolean> {
  // An image has the built page only.
  if (!existsSync(join(folder, 'index.html')) || !existsSync(join(folder, 'vite.config.ts'))) return false;
  const built = await newestChange(join(folder, 'dist', 'index.html'));
  const changes = await Promise.all(sources.map((name) => newestChange(join(folder, name))));
  return Math.max(...changes) > built;
}

/** Resolves with what vite wrote when it failed, else with undefined. */
function runVite(signal: AbortSignal): Promise<string | undefined> {
  const vite = createRequire(join(folder, 'package.json')).resolve('vite/package.json');
  const command = [join(dirname(vite), 'bin', 'vite.js'), 'build', '--logLevel', 'error'];
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(process.execPath, command, {
      cwd: folder,
      signal,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    child.once('error', reject);
    child.once('close', (code) => resolve(code === 0 ? undefined : output.trim() || `exit code ${code}`));
  });
}

/** Builds the web page when it is missing or older than its source. Without it everything else works: never throws. */
export async function ensureConsolePage(signal: AbortSignal): Promise<void> {
  try {
    if (!(await isStale())) return;
    note('Building the web page ...');
    const failure = await runVite(signal);
    if (failure) throw new Error(failure);
  } catch (error) {
    if (signal.aborted) return;
    note(
      paintNote.yellow(
        `The web page could not be built; the API works without it. ${(error as Error).message}`,
      ),
    );
  }
}
