import { readEnvironment } from './environment.ts';
import { findServiceHost } from './find-host.ts';
import type { RunningService } from './service-host.ts';

/** What a run has. A null URL comes with a reason in `why`. */
export interface TestServices {
  readonly databaseUrl: string | null;
  readonly redisUrl: string | null;
  /** True if tests can start servers of their own, to stop and kill them. */
  readonly processes: boolean;
  /** True if one of them can be a Prometheus. */
  readonly prometheus: boolean;
  /** Where they come from, for people. */
  readonly source: string;
  /** Why something is missing, null if all is there. */
  readonly why: string | null;
  /** Part of the names of this run's databases. */
  readonly runId: string;
}

export interface StartedServices extends AsyncDisposable {
  readonly services: TestServices;
}

/** Finds or starts a Postgres and a Redis, in the order that this package's README gives. */
export async function startServices(): Promise<StartedServices> {
  const environment = readEnvironment();
  const given = { databaseUrl: environment.databaseUrl, redisUrl: environment.redisUrl };
  const { host, why } = await findServiceHost(environment);
  const started: RunningService[] = [];
  const start = async (service: Promise<RunningService> | undefined): Promise<string | null> => {
    if (!service) return null;
    const running = await service;
    started.push(running);
    return running.url;
  };
  const [databaseUrl, redisUrl] = await Promise.all([
    given.databaseUrl ?? start(host?.startPostgres()),
    given.redisUrl ?? start(host?.startRedis()),
  ]);
  const source = [given.databaseUrl && 'TEST_DATABASE_URL', given.redisUrl && 'TEST_REDIS_URL', host?.name];
  return {
    services: {
      databaseUrl,
      redisUrl,
      processes: host !== null,
      prometheus: Boolean(environment.prometheusFolder ?? host?.prometheus),
      source: source.filter(Boolean).join(', ') || 'none',
      why:
        why ?? (host?.prometheus ? null : `${host?.name} runs no Prometheus, and TEST_PROMETHEUS is not set`),
      runId: `${Math.floor(Date.now() / 1000).toString(36)}_${process.pid.toString(36)}`,
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map((service) => service[Symbol.asyncDispose]()));
    },
  };
}
