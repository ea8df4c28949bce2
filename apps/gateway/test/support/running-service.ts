import { migrateQueue } from '@sluice/queue';
import { createTestDatabase, createTestRedis, startEmbeddedDatabase } from '@sluice/testing';
import { runWorker } from '@sluice/worker';
import { type RunningGateway, runGateway } from '../../src/index.ts';

export type Mode = 'embedded' | 'postgres-only' | 'services';
export type Environment = Record<string, string>;

/** The services of a mode: their variables, and how to let go of them. */
export async function startServices(mode: Mode): Promise<{ environment: Environment } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const environment: Environment = {
    PORT: '0',
    LOG_LEVEL: 'silent',
    QUEUE_LOCK_SECONDS: '3',
    RECONCILE_SECONDS: '1',
  };
  if (mode === 'embedded') {
    environment.DATABASE_URL = stack.use(await startEmbeddedDatabase()).url;
    environment.SLUICE_EMBEDDED = 'true';
  } else {
    environment.DATABASE_URL = stack.use(await createTestDatabase()).url;
  }
  if (mode === 'services') {
    environment.REDIS_URL = stack.use(await createTestRedis()).url;
    // Shares that are leased through a Redis which has just been started are given after three seconds.
    environment.DB_BUDGET = 'none';
  } else await migrateQueue({ kind: 'postgres', connectionString: environment.DATABASE_URL });
  return { environment, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

export async function untilReady(url: string): Promise<void> {
  for (let i = 0; i < 200; i += 1) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('not ready within 10 s');
}

/** A gateway and a worker in this process, on the services of a mode. */
export async function startSluice(
  mode: Mode,
  extra: Environment = {},
): Promise<{ url: string; app: RunningGateway['app']; environment: Environment } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const services = stack.use(await startServices(mode));
  const environment = { ...services.environment, ...extra };
  const worker = await runWorker(environment);
  stack.defer(() => worker.stop());
  const gateway = await runGateway(environment);
  stack.defer(() => gateway.stop());
  await untilReady(gateway.url);
  return {
    url: gateway.url,
    app: gateway.app,
    environment,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
