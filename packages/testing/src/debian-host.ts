import { appendFile, copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { runInRoot } from './root-process.ts';
import { logFileOf, prepareFolder, startRootedService } from './rooted-service.ts';
import { createScratchFolder } from './scratch-folder.ts';
import type {
  PgBouncerOptions,
  PostgresOptions,
  RedisOptions,
  RunningService,
  ServiceHost,
} from './service-host.ts';
import {
  iniFile,
  PGBOUNCER_DEFAULTS,
  POSTGRES_DEFAULTS,
  REDIS_DEFAULTS,
  settingArgs,
} from './service-settings.ts';
import { acceptsConnections, answersPing } from './tcp-probe.ts';

/** Runs servers from a Debian root built by `provideServiceRoot`. */
export function createDebianHost(root: string): ServiceHost {
  return {
    name: 'service root',
    startPostgres: (options = {}) => withFreePort(options.port, (port) => startPostgres(root, port, options)),
    startRedis: (options = {}) => withFreePort(options.port, (port) => startRedis(root, port, options)),
    startPgBouncer: (options) => withFreePort(options.port, (port) => startPgBouncer(root, port, options)),
  };
}

// Between finding a free port and listening on it somebody else may take it.
async function withFreePort<T>(wanted: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  if (wanted !== undefined) return start(wanted);
  try {
    return await start(await freePort());
  } catch (error) {
    if (!/address already in use/i.test(String(error))) throw error;
    return start(await freePort());
  }
}

async function startPostgres(root: string, port: number, options: PostgresOptions): Promise<RunningService> {
  const folder = await createScratchFolder('postgres');
  const data = await prepareFolder(folder);
  const bin = await postgresBin(root);
  const initdb = [
    'initdb',
    '-D',
    '/srv/cluster',
    '-U',
    'postgres',
    '-A',
    'trust',
    '--no-sync',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
  ];
  initdb[0] = `${bin}/initdb`;
  await runInRoot({ root, data, user: 'postgres', argv: initdb, logFile: logFileOf(folder) });
  const cluster = join(data, 'cluster');
  if (options.configFile) {
    await copyFile(options.configFile, join(data, 'given.conf'));
    await appendFile(join(cluster, 'postgresql.conf'), "\ninclude '/srv/given.conf'\n");
  }
  const settings = {
    ...(options.configFile ? {} : POSTGRES_DEFAULTS),
    ...options.settings,
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
  };
  const pidFile = join(cluster, 'postmaster.pid');
  return startRootedService({
    name: 'Postgres',
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    port,
    root,
    user: 'postgres',
    folder,
    argv: [`${bin}/postgres`, '-D', '/srv/cluster', ...settingArgs('-c', settings)],
    stopSignal: 'SIGINT',
    beforeStart: () => rm(pidFile, { force: true }),
    // The last line of this file says "ready" exactly when connections are accepted.
    isReady: async () => /^ready\s*$/m.test(await readFile(pidFile, 'utf8').catch(() => '')),
  });
}

async function postgresBin(root: string): Promise<string> {
  const versions = await readdir(join(root, 'usr/lib/postgresql'));
  return `/usr/lib/postgresql/${versions.sort().at(-1)}/bin`;
}

async function startRedis(root: string, port: number, options: RedisOptions): Promise<RunningService> {
  const folder = await createScratchFolder('redis');
  await prepareFolder(folder);
  const settings = { ...REDIS_DEFAULTS, ...options.settings, port, bind: '127.0.0.1', dir: '/srv' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return startRootedService({
    name: 'Redis',
    url: `redis://127.0.0.1:${port}`,
    port,
    root,
    user: 'redis',
    folder,
    argv: ['/usr/bin/redis-server', ...args],
    stopSignal: 'SIGTERM',
    isReady: () => answersPing(port),
  });
}

async function startPgBouncer(
  root: string,
  port: number,
  options: PgBouncerOptions,
): Promise<RunningService> {
  const folder = await createScratchFolder('pgbouncer');
  const data = await prepareFolder(folder);
  const upstream = new URL(options.upstream);
  const settings = {
    ...PGBOUNCER_DEFAULTS,
    ...options.settings,
    listen_addr: '127.0.0.1',
    listen_port: port,
    auth_file: '/srv/users.txt',
  };
  await writeFile(join(data, 'pgbouncer.ini'), iniFile(upstream, settings));
  await writeFile(
    join(data, 'users.txt'),
    `"${decodeURIComponent(upstream.username)}" "${decodeURIComponent(upstream.password)}"\n`,
  );
  const url = new URL(options.upstream);
  url.host = `127.0.0.1:${port}`;
  return startRootedService({
    name: 'PgBouncer',
    url: url.href,
    port,
    root,
    user: 'postgres',
    folder,
    argv: ['/usr/sbin/pgbouncer', '/srv/pgbouncer.ini'],
    stopSignal: 'SIGINT',
    isReady: () => acceptsConnections(port),
  });
}
