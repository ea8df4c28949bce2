import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const launcher = fileURLToPath(new URL('../../bin/sluice.mjs', import.meta.url));

type Environment = Record<string, string | undefined>;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Process {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  ended: Promise<Ended>;
}

/** The services of whoever runs the tests are not ours to use. */
function clean(environment: Environment): Environment {
  const unset = { DATABASE_URL: '', REDIS_URL: '', CACHE_REDIS_URL: '', SLUICE_URL: '', SLUICE_API_KEY: '' };
  return { ...process.env, NODE_ENV: undefined, LOG_FORMAT: 'json', ...unset, ...environment };
}

export function startSluice(args: string[], environment: Environment = {}, input = ''): Process {
  const env = clean(environment) as NodeJS.ProcessEnv;
  const child = spawn(process.execPath, [launcher, ...args], { env, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

export function runSluice(args: string[], environment?: Environment, input?: string): Promise<Ended> {
  return startSluice(args, environment, input).ended;
}
