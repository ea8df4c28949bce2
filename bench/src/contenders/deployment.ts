import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool, type Pool } from '@sluice/pool';
import { migrate } from '@sluice/store';
import { type RunningService, startRedis } from '@sluice/testing';

/** A gateway and workers as processes on a database of their own, as `sluice gateway` and `sluice worker` run them. */
export interface Deployment extends AsyncDisposable {
  url: string;
  pool: Pool;
  /** Most memory that was resident so far, in MiB: of the gateway, and of the largest worker. */
  peakMemory(): { gateway: number; worker: number };
}

export interface DeploymentOptions {
  server: RunningService;
  name: string;
  workers: number;
  environment?: Record<string, string>;
}

type Environment = Record<string, string | undefined>;

const script = join(import.meta.dirname, '../processes/role.ts');

interface Launched {
  child: ChildProcess;
  url: string;
}

async function launch(role: 'gateway' | 'worker' | 'express', env: Environment): Promise<Launched> {
  const child = fork(script, [role], { env, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [{ url }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`the ${role} ended before it was ready`))),
  ])) as [{ url: string }];
  return { child, url };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
}

function peakOf({ pid }: ChildProcess): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}

async function untilReady(url: string): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error('the gateway did not get ready within 20 s');
}

const inherited = () => ({
  PATH: process.env.PATH,
  TMPDIR: process.env.TMPDIR,
  PORT: '0',
  LOG_LEVEL: 'error',
});

export interface HttpServer extends AsyncDisposable {
  url: string;
}

function asServer({ child, url }: Launched): HttpServer {
  return { url, [Symbol.asyncDispose]: () => end(child) };
}

/** A gateway on services that are there. */
export async function startGateway(environment: Record<string, string>): Promise<HttpServer> {
  const launched = await launch('gateway', { ...inherited(), ...environment });
  await untilReady(launched.url);
  return asServer(launched);
}

/** A worker on services that are there. */
export async function startWorker(environment: Record<string, string>): Promise<AsyncDisposable> {
  return asServer(await launch('worker', { ...inherited(), ...environment }));
}

/** Express and nothing else: parses a JSON body, and answers with `answer`. */
export async function startExpress(answer: unknown): Promise<HttpServer> {
  return asServer(await launch('express', { ...inherited(), ANSWER: JSON.stringify(answer) }));
}

export async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { server, name, workers, environment } = options;
  await using starting = new AsyncDisposableStack();
  const database = new URL(server.url);
  {
    await using admin = createPool({ connectionString: server.url, size: 1, maxOverflow: 0 });
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`create database ${name}`);
  }
  database.pathname = `/${name}`;
  const pool = starting.use(createPool({ connectionString: database.href, size: 4, maxOverflow: 4 }));
  await migrate(pool);
  const redis = starting.use(await startRedis());
  const env = {
    ...inherited(),
    DATABASE_URL: database.href,
    REDIS_URL: redis.url,
    ...environment,
  };
  const gateway = await launch('gateway', env);
  starting.defer(() => end(gateway.child));
  const running: ChildProcess[] = [];
  starting.defer(() => Promise.all(running.map(end)).then(() => {}));
  for (let i = 0; i < workers; i += 1) running.push((await launch('worker', env)).child);
  await untilReady(gateway.url);
  const stack = starting.move();
  return {
    url: gateway.url,
    pool,
    peakMemory: () => ({
      gateway: peakOf(gateway.child),
      worker: Math.max(...running.map(peakOf)),
    }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
