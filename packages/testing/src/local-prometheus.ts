import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestingError } from './errors.ts';
import { withFreePort } from './free-port.ts';
import { createScratchFolder } from './scratch-folder.ts';
import type { Files, PrometheusHost, RunningService } from './service-host.ts';

const startTimeoutMs = 60_000;

async function createFolder(name: string, files: Files): Promise<string> {
  const folder = await createScratchFolder(name);
  for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), content);
  return folder;
}

async function run(program: string, args: readonly string[], cwd: string, input: string): Promise<string> {
  const child = spawn(program, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  child.stdin.on('error', () => undefined).end(input);
  const [status] = await once(child, 'close');
  if (status === 0) return output;
  throw new TestingError('PROGRAM_FAILED', `${program} ${args.join(' ')} failed:\n${output}`);
}

async function startAt(programs: string, port: number, folder: string): Promise<RunningService> {
  const url = `http://127.0.0.1:${port}`;
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  let child: ChildProcess;
  const isReady = async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok ?? false;
  const running = () => child.exitCode === null && child.signalCode === null;

  async function start(): Promise<void> {
    child = spawn(join(programs, 'prometheus'), args, { stdio: 'ignore' });
    const deadline = Date.now() + startTimeoutMs;
    while (!(await isReady())) {
      if (!running() || Date.now() > deadline)
        throw new TestingError('SERVICE_DID_NOT_START', `${child.spawnfile} ${args.join(' ')} did not start`);
      await sleep(25);
    }
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!running()) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  await start();
  return {
    url,
    host: '127.0.0.1',
    port,
    get pid() {
      return child.pid ?? 0;
    },
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM');
      await start();
    },
    [Symbol.asyncDispose]: () => end('SIGKILL'),
  };
}

/** Prometheus and its tool, as they lie in a folder of this machine. */
export function createLocalPrometheus(programs: string): PrometheusHost {
  return {
    async promtool(args, files) {
      const folder = await createFolder('promtool', files);
      return run(join(programs, 'promtool'), args, folder, files['stdin.txt'] ?? '');
    },
    startPrometheus: (files) =>
      withFreePort(undefined, async (port) =>
        startAt(programs, port, await createFolder('prometheus', files)),
      ),
  };
}
