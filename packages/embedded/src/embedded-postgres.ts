import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EmbeddedError } from './errors.ts';
import type { ChildMessage } from './main.ts';

export interface EmbeddedPostgres extends AsyncDisposable {
  /** `postgresql://` URL over a Unix socket. All connections share one session. */
  url: string;
  pid: number;
  /** Resolves when the process ended, whoever ended it. */
  exited: Promise<void>;
  stop(): Promise<void>;
}

const stopTimeoutMs = 15_000;

function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: ChildMessage) => {
      if (message.type === 'ready') resolve(message.socketFolder);
      else reject(new EmbeddedError(message.code, message.message));
    });
    child.once('error', (cause) => reject(new EmbeddedError('start_failed', cause.message, { cause })));
    child.once('exit', (code, signal) =>
      reject(
        new EmbeddedError(
          'start_failed',
          `the embedded Postgres ended at once (${signal ?? `exit code ${code}`})`,
        ),
      ),
    );
  });
}

/**
 * Starts Postgres (PGlite) in a process of its own, with its files under `dataDir`. Throws `EmbeddedError`. The process
 * ends with this one, however this one ends.
 */
export async function startEmbeddedPostgres({ dataDir }: { dataDir: string }): Promise<EmbeddedPostgres> {
  const child = fork(fileURLToPath(new URL('main.ts', import.meta.url)), [dataDir], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // Flags of this process, as `--inspect` or `--input-type`, are not meant for that one.
    execArgv: [],
  });
  const exited = once(child, 'exit').then(() => {});
  const socketFolder = await untilReady(child);

  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const kill = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    if (child.connected) child.send({ type: 'stop' });
    await exited;
    clearTimeout(kill);
  }
  return {
    url: `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(socketFolder)}`,
    pid: child.pid as number,
    exited,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
