import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Process, startSluice } from './sluice.ts';
import { isAlive, until } from './until.ts';

export interface Up extends AsyncDisposable {
  process: Process;
  url: string;
  /** Those of the services and of the embedded Postgres. */
  pids: { gateway: number; worker: number; postgres: number };
}

/** The newest process of that name that has written to the log. */
export function loggedPid(log: string, name: string): number | undefined {
  const lines = log.split('\n').filter((line) => line.startsWith('{') && line.includes(`"name":"${name}"`));
  const last = lines.at(-1);
  return last ? (JSON.parse(last) as { pid: number }).pid : undefined;
}

export const leftOver = (pids: Up['pids']) => Object.values(pids).filter(isAlive);

/** `sluice up` with the embedded Postgres, ready. Whatever of it is left at the end of the test is killed. */
export async function startUp(
  dataDir: string,
  environment: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<Up> {
  const up = startSluice(['up', ...args], { PORT: '0', SLUICE_DATA_DIR: dataDir, ...environment });
  const ready = /Web page\s+(\S+?)\/\s/;
  const match = await until('sluice up is ready', () => {
    if (up.child.exitCode !== null) throw new Error(`sluice up ended: ${up.stderr()}`);
    return ready.exec(up.stderr()) ?? undefined;
  });
  const owner = JSON.parse(await readFile(join(dataDir, 'owner.json'), 'utf8')) as { pid: number };
  const pids = {
    gateway: loggedPid(up.stdout(), 'gateway') as number,
    worker: loggedPid(up.stdout(), 'worker') as number,
    postgres: owner.pid,
  };
  return {
    process: up,
    url: match[1] as string,
    pids,
    async [Symbol.asyncDispose]() {
      if (up.child.exitCode !== null || up.child.signalCode !== null) return;
      up.child.kill('SIGTERM');
      await up.ended;
    },
  };
}
