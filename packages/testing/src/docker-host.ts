import { readFile } from 'node:fs/promises';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import { freePort } from './free-port.ts';
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

const POSTGRES_IMAGE = 'pgvector/pgvector:pg18';
const REDIS_IMAGE = 'redis:8';
const PGBOUNCER_IMAGE = 'edoburu/pgbouncer:latest';

/** Runs servers as containers; testcontainers' reaper removes them when this process dies. */
export function createDockerHost(): ServiceHost {
  return { name: 'Docker', startPostgres, startRedis, startPgBouncer };
}

async function startPostgres(options: PostgresOptions = {}): Promise<RunningService> {
  const port = options.port ?? (await freePort());
  const settings = { ...(options.configFile ? {} : POSTGRES_DEFAULTS), ...options.settings };
  const container = new GenericContainer(POSTGRES_IMAGE)
    .withEnvironment({ POSTGRES_PASSWORD: 'postgres' })
    .withExposedPorts({ container: 5432, host: port })
    .withSharedMemorySize(1024 ** 3)
    // The image starts a temporary server first to create the cluster, hence the second line.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2));
  const config = options.configFile ? ['-c', 'config_file=/etc/given.conf'] : [];
  if (options.configFile) {
    const content = await readFile(options.configFile, 'utf8');
    container.withCopyContentToContainer([{ content, target: '/etc/given.conf' }]);
  }
  container.withCommand([
    'postgres',
    ...config,
    ...settingArgs('-c', { ...settings, listen_addresses: '*' }),
  ]);
  return run(container, port, (host) => `postgres://postgres:postgres@${host}:${port}/postgres`);
}

async function startRedis(options: RedisOptions = {}): Promise<RunningService> {
  const port = options.port ?? (await freePort());
  const settings = Object.entries({ ...REDIS_DEFAULTS, ...options.settings });
  const container = new GenericContainer(REDIS_IMAGE)
    .withCommand(['redis-server', ...settings.flatMap(([name, value]) => [`--${name}`, String(value)])])
    .withExposedPorts({ container: 6379, host: port })
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/));
  return run(container, port, (host) => `redis://${host}:${port}`);
}

async function startPgBouncer(options: PgBouncerOptions): Promise<RunningService> {
  const port = options.port ?? (await freePort());
  const upstream = new URL(options.upstream);
  const seenFromInside = new URL(options.upstream);
  seenFromInside.hostname = 'host.docker.internal';
  const users = `"${decodeURIComponent(upstream.username)}" "${decodeURIComponent(upstream.password)}"\n`;
  const listening = { listen_addr: '*', listen_port: 6432, auth_file: '/etc/pgbouncer/users.txt' };
  const ini = iniFile(seenFromInside, { ...PGBOUNCER_DEFAULTS, ...options.settings, ...listening });
  const container = new GenericContainer(PGBOUNCER_IMAGE)
    .withEntrypoint(['pgbouncer', '/etc/pgbouncer/given.ini'])
    .withCopyContentToContainer([
      { content: ini, target: '/etc/pgbouncer/given.ini' },
      { content: users, target: '/etc/pgbouncer/users.txt' },
    ])
    .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }])
    .withExposedPorts({ container: 6432, host: port })
    .withWaitStrategy(Wait.forLogMessage(/process up/));
  return run(container, port, (host) => {
    const url = new URL(options.upstream);
    url.host = `${host}:${port}`;
    return url.href;
  });
}

async function run(
  description: GenericContainer,
  port: number,
  urlAt: (host: string) => string,
): Promise<RunningService> {
  // The reaper removes the container with this process; until then it has to outlive its own end.
  const started = await description.withAutoRemove(false).start();
  const { container: client } = await getContainerRuntimeClient();
  const container = client.getById(started.getId());
  const readPid = async () => (await container.inspect()).State.Pid;
  const isRunning = async () => (await container.inspect()).State.Running;
  let pid = await readPid();

  const start = async () => {
    if (await isRunning()) return;
    await container.start();
    pid = await readPid();
  };
  const stop = async () => {
    if (await isRunning()) await container.stop();
  };
  return {
    url: urlAt(started.getHost()),
    host: started.getHost(),
    port,
    get pid() {
      return pid;
    },
    start,
    stop,
    async kill() {
      if (await isRunning()) await container.kill();
    },
    async restart() {
      await stop();
      await start();
    },
    async [Symbol.asyncDispose]() {
      await started.stop({ timeout: 0 });
    },
  };
}
