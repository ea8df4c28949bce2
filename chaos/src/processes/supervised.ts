import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Role = 'worker' | 'gateway';

export interface Supervised {
  /** Says that it works. Never settles for one that dies before. */
  readonly started: Promise<void>;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly running: boolean;
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM. Resolves when it is gone. */
  stop(): Promise<void>;
}

export interface LaunchOptions {
  environment: Readonly<Record<string, string>>;
  /** Gets what it writes, one file a role. Undefined: nobody does. */
  logs: string | undefined;
}

/** Ends by itself when this process does, since it notices that its channel is closed. */
export function launch(role: Role, { environment, logs }: LaunchOptions): Supervised {
  const log = logs === undefined ? undefined : openSync(join(logs, `${role}.log`), 'a');
  const output = log ?? 'ignore';
  const child: ChildProcess = fork(fileURLToPath(new URL(`${role}.ts`, import.meta.url)), {
    env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, ...environment },
    execArgv: [],
    stdio: ['ignore', output, output, 'ipc'],
    // Ctrl-C in a terminal is for the run, which ends its processes itself.
    detached: true,
  });
  if (log !== undefined) closeSync(log);
  child.on('error', () => {});
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
  };
  return {
    started: new Promise((resolve) => child.once('message', () => resolve())),
    exited,
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}
