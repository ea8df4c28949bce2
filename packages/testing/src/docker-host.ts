import { readFile } from 'node:fs/promises';
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers';
import { TestingError } from './errors.ts';
import { freePort } from './free-port.ts';
import { basebackupArgs, settingsOfReplica } from './replica.ts';
import type {
  PgBouncerOptions,
  PostgresOptions,
  RedisOptions,
  ReplicaOptions,
  RunningPostgres,
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
// Run by the image when it creates the cluster: its own pg_hba.conf lets nobody replicate from another container.
const ALLOW_REPLICATION = {
  content: `echo 'host replication all all scram-sha-256' >> "$PGDATA/pg_hba.conf"\n`,
  target: '/docker-entrypoint-initdb.d/allow-replication.sh',
};
// The container starts more than once, but is filled only the first time.
const FILL_AND_RUN =
  '[ -s "$PGDATA/PG_VERSION" ] || pg_basebackup -D "$PGDATA" $BASEBACKUP && exec postgres "$@"';
const REDIS_IMAGE = 'redis:8';
const PGBOUNCER_IMAGE = 'edoburu/pgbouncer:latest';

const DOCKER_HOST = { host: 'host.docker.internal', ipAddress: 'host-gateway' };

/** Runs servers as containers; testcontainers' reaper removes them when this process dies. */
export function createDockerHost(): ServiceHost {
  return { name: 'Docker', startPostgres, startReplica, startRedis, startPgBouncer, prometheus: null };
}

async function startPostgres(options: PostgresOptions = {}): Promise<RunningPostgres> {
  const port = options.port ?? (await freePort());
  const settings = { ...(options.configFile ? {} : POSTGRES_DEFAULTS), ...options.settings };
  const container = new GenericContainer(POSTGRES_IMAGE)
    .withEnvironment({ POSTGRES_PASSWORD: 'postgres' })
    .withExposedPorts({ container: 5432, host: port })
    .withSharedMemorySize((options.sharedMemoryMb ?? 1024) * 1024 ** 2)
    .withCopyContentToContainer([ALLOW_REPLICATION])
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
  const server = await run(
    container,
    port,
    (host) => `postgres://postgres:postgres@${host}:${port}/postgres`,
  );
  return Object.assign(server, {
    runProgram: (program: string, args: readonly string[]) =>
      runProgram(server.container, [program, ...args]),
  });
}

async function runProgram(container: StartedTestContainer, argv: string[]): Promise<string> {
  const environment = { PGHOST: '127.0.0.1', PGUSER: 'postgres', PGPASSWORD: 'postgres' };
  const { exitCode, output } = await container.exec(argv, { env: environment });
  if (exitCode === 0) return output;
  throw new TestingError('PROGRAM_FAILED', `${argv.join(' ')} failed:\n${output}`);
}

async function startReplica(primary: RunningService, options: ReplicaOptions = {}): Promise<RunningService> {
  const port = options.port ?? (await freePort());
  const settings = await settingsOfReplica(primary, options);
  const basebackup = basebackupArgs(seenFromInside(primary.url).href).join(' ');
  const container = new GenericContainer(POSTGRES_IMAGE)
    .withUser('postgres')
    .withEntrypoint(['sh', '-c', FILL_AND_RUN, 'sh'])
    .withEnvironment({ BASEBACKUP: basebackup })
    .withCommand(settingArgs('-c', { ...settings, listen_addresses: '*' }))
    .withExtraHosts([DOCKER_HOST])
    .withExposedPorts({ container: 5432, host: port })
    .withSharedMemorySize(1024 ** 3)
    .withWaitStrategy(Wait.forLogMessage(/ready to accept read-only connections/));
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
  const users = `"${decodeURIComponent(upstream.username)}" "${decodeURIComponent(upstream.password)}"\n`;
  const listening = { listen_addr: '*', listen_port: 6432, auth_file: '/etc/pgbouncer/users.txt' };
  const ini = iniFile(seenFromInside(options.upstream), {
    ...PGBOUNCER_DEFAULTS,
    ...options.settings,
    ...listening,
  });
  const container = new GenericContainer(PGBOUNCER_IMAGE)
    .withEntrypoint(['pgbouncer', '/etc/pgbouncer/given.ini'])
    .withCopyContentToContainer([
      { content: ini, target: '/etc/pgbouncer/given.ini' },
      { content: users, target: '/etc/pgbouncer/users.txt' },
    ])
    .withExtraHosts([DOCKER_HOST])
    .withExposedPorts({ container: 6432, host: port })
    .withWaitStrategy(Wait.forLogMessage(/process up/));
  return run(container, port, (host) => {
    const url = new URL(options.upstream);
    url.host = `${host}:${port}`;
    return url.href;
  });
}

/** An address on this machine as a container has to write it. */
function seenFromInside(address: string): URL {
  const url = new URL(address);
  url.hostname = DOCKER_HOST.host;
  return url;
}

interface RunningContainer extends RunningService {
  container: StartedTestContainer;
}

async function run(
  description: GenericContainer,
  port: number,
  urlAt: (host: string) => string,
): Promise<RunningContainer> {
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
    container: started,
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
