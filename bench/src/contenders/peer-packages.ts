import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const peers = join(import.meta.dirname, '../../peers');

/**
 * A module of a folder of bench/peers, whose packages are installed first where they are not: they are no dependencies of the
 * workspace, as nobody but one benchmark needs them. `file`: below node_modules.
 */
export async function importPeer<T>(folder: string, file: string): Promise<T> {
  const path = join(peers, folder, 'node_modules', file);
  if (!existsSync(path)) await install(folder);
  return import(pathToFileURL(path).href);
}

async function install(folder: string): Promise<void> {
  const arguments_ = ['ci', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund'];
  const stdio: ['ignore', 'ignore', 'inherit'] = ['ignore', 'ignore', 'inherit'];
  const child: ChildProcess = spawn('npm', arguments_, { cwd: join(peers, folder), stdio });
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`npm ci in bench/peers/${folder} ended with status ${status}`);
}
