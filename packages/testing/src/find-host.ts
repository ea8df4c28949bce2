import { createDebianHost } from './debian-host.ts';
import { whyNoDocker } from './docker-engine.ts';
import { readEnvironment, type TestEnvironment } from './environment.ts';
import { TestingError } from './errors.ts';
import { createLocalPrometheus } from './local-prometheus.ts';
import { asReplica } from './replica.ts';
import type {
  Files,
  PgBouncerOptions,
  PostgresOptions,
  PrometheusHost,
  RedisOptions,
  ReplicaOptions,
  RunningPostgres,
  RunningReplica,
  RunningService,
  ServiceHost,
} from './service-host.ts';
import { provideRoot, serviceRecipe, whyNoServiceRoot } from './service-root.ts';

export type HostSearch = { host: ServiceHost; why: null } | { host: null; why: string };

/** A Docker engine, else a service root, else the reasons against each. */
export async function findServiceHost(environment: TestEnvironment): Promise<HostSearch> {
  if (environment.servicesForbidden) return { host: null, why: 'SLUICE_TEST_SERVICES=none' };
  const noDocker = await whyNoDocker();
  if (noDocker === null) {
    // Loaded only where it is of use: testcontainers costs every test file a third of a second.
    const { createDockerHost } = await import('./docker-host.ts');
    return { host: createDockerHost(), why: null };
  }
  const noRoot = whyNoServiceRoot() ?? (await whyNotBuilt(environment.cacheFolder));
  if (typeof noRoot !== 'string') return { host: createDebianHost(noRoot.root), why: null };
  return { host: null, why: `no Docker engine (${noDocker}), no service root (${noRoot})` };
}

async function whyNotBuilt(cacheFolder: string): Promise<{ root: string } | string> {
  try {
    return { root: await provideRoot(serviceRecipe, cacheFolder) };
  } catch (error) {
    return (error as Error).message;
  }
}

let found: Promise<HostSearch> | undefined;

async function requireHost(): Promise<ServiceHost> {
  found ??= findServiceHost(readEnvironment());
  const { host, why } = await found;
  if (host) return host;
  throw new TestingError('SERVICES_UNAVAILABLE', `no server processes can be started here: ${why}`);
}

async function requirePrometheus(): Promise<PrometheusHost> {
  const { prometheusFolder } = readEnvironment();
  if (prometheusFolder) return createLocalPrometheus(prometheusFolder);
  const { prometheus, name } = await requireHost();
  if (prometheus) return prometheus;
  throw new TestingError('SERVICES_UNAVAILABLE', `${name} runs no Prometheus`);
}

/** A Prometheus with these files, `prometheus.yml` among them. */
export async function startPrometheus(files: Files): Promise<RunningService> {
  return (await requirePrometheus()).startPrometheus(files);
}

/** What promtool says of these files, one of which may be its input, `stdin.txt`. Throws with that when it finds something wrong. */
export async function promtool(args: readonly string[], files: Files): Promise<string> {
  return (await requirePrometheus()).promtool(args, files);
}

/** A Postgres of its own, with pgvector to be created: for tests that stop, kill or reconfigure it. */
export async function startPostgres(options?: PostgresOptions): Promise<RunningPostgres> {
  return (await requireHost()).startPostgres(options);
}

/**
 * A streaming replica of a server that `startPostgres` has started, as that server is now; to be disposed of
 * before it. Asynchronous: what the primary confirms is visible here a little later.
 */
export async function startReplica(
  primary: RunningService,
  options?: ReplicaOptions,
): Promise<RunningReplica> {
  return asReplica(await (await requireHost()).startReplica(primary, options));
}

/** A Redis of its own: for tests that stop, kill, flush or reconfigure it. */
export async function startRedis(options?: RedisOptions): Promise<RunningService> {
  return (await requireHost()).startRedis(options);
}

/** A PgBouncer in front of `options.upstream`; its `url` names the same user and database. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<RunningService> {
  return (await requireHost()).startPgBouncer(options);
}
