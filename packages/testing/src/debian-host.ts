import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres, startReplica } from './debian-postgres.ts';
import { createDebianPrometheus } from './debian-prometheus.ts';
import { withFreePort } from './free-port.ts';
import { prepareFolder, startRootedService } from './rooted-service.ts';
import { createScratchFolder } from './scratch-folder.ts';
import type { PgBouncerOptions, RedisOptions, RunningService, ServiceHost } from './service-host.ts';
import { iniFile, PGBOUNCER_DEFAULTS, REDIS_DEFAULTS } from './service-settings.ts';
import { acceptsConnections, answersPing } from './tcp-probe.ts';

/** Runs servers from a Debian root built by `provideRoot`. */
export function createDebianHost(root: string): ServiceHost {
  return {
    name: 'service root',
    startPostgres: (options = {}) => withFreePort(options.port, (port) => startPostgres(root, port, options)),
    startReplica: (primary, options = {}) =>
      withFreePort(options.port, (port) => startReplica(root, port, primary, options)),
    startRedis: (options = {}) => withFreePort(options.port, (port) => startRedis(root, port, options)),
    startPgBouncer: (options) => withFreePort(options.port, (port) => startPgBouncer(root, port, options)),
    prometheus: createDebianPrometheus(root),
  };
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
