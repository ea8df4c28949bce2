import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TestingError } from './errors.ts';
import { NAMESPACE } from './service-root.ts';

const RUN_SCRIPT = fileURLToPath(new URL('./run-in-root.sh', import.meta.url));

export interface RootCommand {
  readonly root: string;
  /** Folder that the command finds at /srv. */
  readonly data: string;
  /** Owner of `data` inside the root, and whom the command runs as. */
  readonly user: string;
  readonly argv: readonly string[];
  /** Gets stdout and stderr; outside of `data`. */
  readonly logFile: string;
  /** Size of /dev/shm. Default: what a tmpfs has, half of the memory. */
  readonly sharedMemoryMb?: number | undefined;
}

/** A command inside the service root, seen from outside. */
export interface RootProcess {
  /** False once it and everything it started are gone. */
  readonly running: boolean;
  /** Of the command itself; valid once the command has shown that it is up. */
  pid(): number;
  /** Resolves with the exit status, null if it was killed. */
  readonly exited: Promise<number | null>;
  /** Takes the whole namespace down. */
  kill(): Promise<void>;
}

export function startInRoot({ root, data, user, argv, logFile, sharedMemoryMb }: RootCommand): RootProcess {
  const log = openSync(logFile, 'a');
  const [file, ...namespace] = NAMESPACE;
  const args = [...namespace, 'sh', RUN_SCRIPT, root, data, user, ...argv];
  // A session of its own: Ctrl-C in a terminal must reach the test runner, not the servers under it.
  const env = { ...process.env, SHARED_MEMORY: sharedMemoryMb ? `size=${sharedMemoryMb}m` : 'size=50%' };
  const child = spawn(file, args, { detached: true, stdio: ['ignore', log, log], env });
  closeSync(log);
  const running = () => child.exitCode === null && child.signalCode === null;
  const exited = once(child, 'exit').then(([status]) => status as number | null);
  exited.catch(() => {});
  return {
    get running() {
      return running();
    },
    pid: () => pidOfCommand(child),
    exited,
    async kill() {
      // Process 1 is gone only after all others of its namespace, and unshare waits for it. Killing unshare
      // first would return while the servers are still dying.
      const [first] = childrenOf(child.pid);
      if (running() && child.pid) process.kill(first ?? child.pid, 'SIGKILL');
      await exited;
    },
  };
}

/** Runs a command to its end; throws with its output if it fails. */
export async function runInRoot(command: RootCommand): Promise<void> {
  const status = await startInRoot(command).exited;
  if (status === 0) return;
  const output = readLogTail(command.logFile);
  throw new TestingError('PROGRAM_FAILED', `${command.argv.join(' ')} failed:\n${output}`);
}

/** Like `runInRoot`, for a `logFile` of its own: what the command printed. */
export async function outputInRoot(command: RootCommand): Promise<string> {
  await runInRoot(command);
  return readFile(command.logFile, 'utf8');
}

export function readLogTail(logFile: string): string {
  return readFileSync(logFile, 'utf8').slice(-4000);
}

// unshare has one child, process 1 of the namespace, and that has one child, the command.
function pidOfCommand(unshare: ChildProcess): number {
  const [command] = childrenOf(childrenOf(unshare.pid)[0]);
  if (command !== undefined) return command;
  throw new TestingError('SERVICE_DID_NOT_START', 'the server ended right after it was ready');
}

function childrenOf(pid: number | undefined): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? [] : children.split(' ').map(Number);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
