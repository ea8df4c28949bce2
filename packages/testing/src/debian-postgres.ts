import { randomUUID } from 'node:crypto';
import { appendFile, copyFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { basebackupArgs, settingsOfReplica } from './replica.ts';
import { outputInRoot, runInRoot } from './root-process.ts';
import { logFileOf, prepareFolder, startRootedService } from './rooted-service.ts';
import { createScratchFolder } from './scratch-folder.ts';
import type { PostgresOptions, ReplicaOptions, RunningPostgres, RunningService } from './service-host.ts';
import { POSTGRES_DEFAULTS, type Settings, settingArgs } from './service-settings.ts';

/** A new folder with nothing in it yet, and the programs that work on it. */
interface Cluster {
  readonly name: string;
  readonly root: string;
  readonly folder: string;
  readonly data: string;
  readonly bin: string;
}

const INITDB = [
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

export async function startPostgres(
  root: string,
  port: number,
  options: PostgresOptions,
): Promise<RunningPostgres> {
  const cluster = await prepareCluster(root, 'Postgres');
  await runProgram(cluster, INITDB);
  if (options.configFile) {
    const folder = join(cluster.data, 'cluster');
    // In the cluster's folder and named without one, so that it is part of a base backup.
    await copyFile(options.configFile, join(folder, 'given.conf'));
    await appendFile(join(folder, 'postgresql.conf'), "\ninclude 'given.conf'\n");
  }
  const defaults = options.configFile ? {} : POSTGRES_DEFAULTS;
  const server = await runServer(cluster, port, { ...defaults, ...options.settings }, options.sharedMemoryMb);
  return Object.assign(server, {
    runProgram: (program: string, args: readonly string[]) => outputOf(cluster, port, [program, ...args]),
  });
}

export async function startReplica(
  root: string,
  port: number,
  primary: RunningService,
  options: ReplicaOptions,
): Promise<RunningService> {
  const cluster = await prepareCluster(root, 'Postgres replica');
  const settings = await settingsOfReplica(primary, options);
  await runProgram(cluster, ['pg_basebackup', '-D', '/srv/cluster', ...basebackupArgs(primary.url)]);
  return runServer(cluster, port, settings);
}

async function prepareCluster(root: string, name: string): Promise<Cluster> {
  const folder = await createScratchFolder('postgres');
  const data = await prepareFolder(folder);
  const versions = await readdir(join(root, 'usr/lib/postgresql'));
  return { name, root, folder, data, bin: `/usr/lib/postgresql/${versions.sort().at(-1)}/bin` };
}

function runProgram({ root, folder, data, bin }: Cluster, [program, ...args]: string[]): Promise<void> {
  const argv = [`${bin}/${program}`, ...args];
  return runInRoot({ root, data, user: 'postgres', argv, logFile: logFileOf(folder) });
}

function outputOf(
  { root, folder, data, bin }: Cluster,
  port: number,
  [program, ...args]: string[],
): Promise<string> {
  const client = ['/usr/bin/env', 'PGHOST=127.0.0.1', `PGPORT=${port}`, 'PGUSER=postgres'];
  const argv = [...client, `${bin}/${program}`, ...args];
  return outputInRoot({ root, data, user: 'postgres', argv, logFile: join(folder, `${randomUUID()}.log`) });
}

function runServer(
  cluster: Cluster,
  port: number,
  given: Settings,
  sharedMemoryMb?: number,
): Promise<RunningService> {
  const { name, root, folder, bin } = cluster;
  const settings = { ...given, port, listen_addresses: '127.0.0.1', unix_socket_directories: '' };
  const pidFile = join(cluster.data, 'cluster', 'postmaster.pid');
  return startRootedService({
    name,
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    port,
    root,
    user: 'postgres',
    folder,
    argv: [`${bin}/postgres`, '-D', '/srv/cluster', ...settingArgs('-c', settings)],
    sharedMemoryMb,
    stopSignal: 'SIGINT',
    beforeStart: () => rm(pidFile, { force: true }),
    // The last line of this file says "ready" exactly when connections are accepted, on a replica read-only ones.
    isReady: async () => /^ready\s*$/m.test(await readFile(pidFile, 'utf8').catch(() => '')),
  });
}
