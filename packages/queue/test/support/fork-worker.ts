import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkerMessage, WorkerSettings } from './worker-process.ts';

export interface WorkerProcess extends AsyncDisposable {
  readonly started: string[];
  readonly done: string[];
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
}

const ENTRY = fileURLToPath(new URL('./worker-process.ts', import.meta.url));

export function forkWorker(settings: WorkerSettings): WorkerProcess {
  const child: ChildProcess = fork(ENTRY, [JSON.stringify(settings)], { execArgv: [] });
  const started: string[] = [];
  const done: string[] = [];
  child.on('message', (message: WorkerMessage) => {
    if (message.started) started.push(message.started);
    if (message.done) done.push(message.done);
  });
  const exited = once(child, 'exit');
  return {
    started,
    done,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
