import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Environment } from '@sluice/config';
import { CliError } from '../errors.ts';
import type { ServiceMessage } from '../service-messages.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

export interface ServiceProcess {
  pid: number | undefined;
  /** Resolves with its URL, if it has one, once it serves. Rejects when it ends before that. */
  started: Promise<string | undefined>;
  /** Resolves with how it ended, e.g. `exit code 1`. */
  exited: Promise<string>;
  /** Asks it to stop, kills it at the deadline. Resolves when it is gone. */
  stop(deadlineMs: number): Promise<void>;
}

function untilStarted(child: ChildProcess, command: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: ServiceMessage) => {
      if (message.type === 'started') resolve(message.url);
      else reject(new CliError('service_failed', message.message, { advice: message.advice }));
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      reject(new CliError('service_failed', `the ${command} ended while it started (${how})`));
    });
  });
}

/** Starts `sluice COMMAND` as a process that ends with this one, however this one ends. */
export function startService(command: 'gateway' | 'worker', environment: Environment): ServiceProcess {
  // In a group of its own: a Ctrl-C of the terminal must reach only us, so that we decide who stops first.
  const child = fork(main, [command], {
    env: environment as NodeJS.ProcessEnv,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit').then(([code, signal]) => signal ?? `exit code ${code}`);
  const started = untilStarted(child, command);
  // Whoever waits for it hears of it; a stop in between must not end this process.
  started.catch(() => {});
  return {
    pid: child.pid,
    started,
    exited,
    async stop(deadlineMs) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      await exited;
      clearTimeout(kill);
    },
  };
}
