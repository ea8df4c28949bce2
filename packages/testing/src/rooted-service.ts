import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestingError } from './errors.ts';
import { type RootProcess, readLogTail, startInRoot } from './root-process.ts';
import type { RunningService } from './service-host.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 15;

export interface RootedServiceOptions {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly root: string;
  readonly user: string;
  readonly argv: readonly string[];
  readonly sharedMemoryMb?: number | undefined;
  /** Holds `data` (the server's folder, at /srv for the server) and its log. */
  readonly folder: string;
  /** What asks this server for a clean, quick end. */
  readonly stopSignal: NodeJS.Signals;
  /** Removes what a crash left behind that would keep the server from starting. */
  readonly beforeStart?: () => Promise<void>;
  readonly isReady: () => Promise<boolean>;
}

/** Folder of a new service, with `data` in it. */
export async function prepareFolder(folder: string): Promise<string> {
  const data = join(folder, 'data');
  await mkdir(data, { recursive: true });
  return data;
}

export async function startRootedService(options: RootedServiceOptions): Promise<RunningService> {
  let process_: RootProcess | undefined;
  let pid = 0;

  const start = async () => {
    // Killed from outside a moment ago: its namespace is still on the way out.
    if (process_?.running && !isAlive(pid)) await process_.exited;
    if (process_?.running) return;
    await options.beforeStart?.();
    process_ = launch(options);
    await untilReady(options, process_);
    pid = process_.pid();
  };
  const kill = async () => process_?.kill();
  const stop = async () => {
    if (!process_?.running) return;
    process.kill(pid, options.stopSignal);
    const deadline = sleep(STOP_TIMEOUT_MS, 'late' as const, { ref: false });
    if ((await Promise.race([process_.exited, deadline])) !== 'late') return;
    await kill();
    throw new TestingError(
      'SERVICE_DID_NOT_STOP',
      `${options.name} ignored ${options.stopSignal} for ${STOP_TIMEOUT_MS} ms`,
    );
  };

  await start();
  return {
    url: options.url,
    host: '127.0.0.1',
    port: options.port,
    get pid() {
      return pid;
    },
    start,
    stop,
    kill,
    async restart() {
      await stop();
      await start();
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(options.folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function launch(options: RootedServiceOptions): RootProcess {
  return startInRoot({
    root: options.root,
    data: join(options.folder, 'data'),
    user: options.user,
    argv: options.argv,
    sharedMemoryMb: options.sharedMemoryMb,
    logFile: logFileOf(options.folder),
  });
}

async function untilReady(options: RootedServiceOptions, started: RootProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await options.isReady())) {
    if (started.running && Date.now() < deadline) {
      await sleep(POLL_MS);
      continue;
    }
    const how = started.running ? `is not ready after ${START_TIMEOUT_MS} ms` : 'ended while starting';
    await started.kill();
    throw new TestingError(
      'SERVICE_DID_NOT_START',
      `${options.name} ${how}:\n${readLogTail(logFileOf(options.folder))}`,
    );
  }
}

export function logFileOf(folder: string): string {
  return join(folder, 'server.log');
}
