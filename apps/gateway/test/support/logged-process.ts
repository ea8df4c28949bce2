import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Environment } from './running-service.ts';

export interface LoggedProcess extends AsyncDisposable {
  /** What it told its parent when it had started. */
  started: { url: string };
  /** Everything that it has written, to either stream. */
  output(): string;
  lines(): Record<string, unknown>[];
}

/** A gateway or a worker in a process of its own, whose log is kept. */
export async function startLogged(
  service: 'gateway' | 'worker',
  environment: Environment,
): Promise<LoggedProcess> {
  const child = fork(fileURLToPath(new URL(`${service}-process.ts`, import.meta.url)), {
    env: { PATH: process.env.PATH, LOG_FORMAT: 'json', ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const exited = once(child, 'exit');
  const [started] = await Promise.race([
    once(child, 'message'),
    exited.then(() => Promise.reject(new Error(`the ${service} ended: ${output}`))),
  ]);
  return {
    started,
    output: () => output,
    lines: () =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line)),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.disconnect();
      await exited;
    },
  };
}
