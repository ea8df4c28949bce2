import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestingError } from './errors.ts';

/** A Debian root that is built once by a script, which gets the path as its first argument. */
export interface RootRecipe {
  /** First part of the folder's name. */
  readonly name: string;
  readonly script: string;
  /** What is in it, for people. */
  readonly title: string;
}

export const serviceRecipe: RootRecipe = {
  name: 'services',
  script: fileURLToPath(new URL('./build-service-root.sh', import.meta.url)),
  title: 'a service root',
};

export const browserRecipe: RootRecipe = {
  name: 'browser',
  script: fileURLToPath(new URL('./build-browser-root.sh', import.meta.url)),
  title: 'a root with Chromium',
};

/**
 * A new mount, process and shared memory namespace for a command, killed as a whole when the thread that
 * started it ends. The parent death signal is what makes `kill -9` of a test runner leave nothing behind.
 */
export const NAMESPACE: readonly [string, ...string[]] = [
  'setpriv',
  '--pdeathsig',
  'KILL',
  'unshare',
  '--mount',
  '--pid',
  '--ipc',
  '--fork',
  '--kill-child',
];

/** Why no service root can be built or run here, or null if it can. */
export function whyNoServiceRoot(): string | null {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  if (process.getuid?.() !== 0) return 'not running as root';
  const [command, ...args] = NAMESPACE;
  const probe = spawnSync(command, [...args, 'true'], { encoding: 'utf8' });
  if (probe.status !== 0) return `no namespaces here: ${probe.error?.message ?? probe.stderr.trim()}`;
  if (!existsSync('/etc/debian_version')) return 'not a Debian system';
  return null;
}

/** Path of the root as the recipe is now; built first where it is missing (half a minute; 570 MB, with Chromium 1 GB). */
export async function provideRoot(recipe: RootRecipe, cacheFolder: string): Promise<string> {
  const version = createHash('sha256').update(readFileSync(recipe.script)).digest('hex').slice(0, 12);
  const root = join(cacheFolder, `${recipe.name}-${version}`);
  if (!existsSync(root)) {
    process.stderr.write(`Building ${recipe.title} for the tests in ${root} (once, about half a minute)\n`);
    await build(recipe.script, root);
  }
  return root;
}

function build(script: string, root: string): Promise<void> {
  const [command, ...args] = NAMESPACE;
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args, '--mount-proc', 'sh', script, root], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keepTail = (data: Buffer) => {
      output = (output + data.toString()).slice(-4000);
    };
    child.stdout.on('data', keepTail);
    child.stderr.on('data', keepTail);
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) return resolve();
      reject(
        new TestingError('SERVICE_ROOT_NOT_BUILT', `building ${root} failed (status ${status}):\n${output}`),
      );
    });
  });
}
