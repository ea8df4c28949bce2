import { setTimeout as sleep } from 'node:timers/promises';
import { runGateway } from '@sluice/gateway';
import { createTestDatabase, createTestRedis } from '@sluice/testing';
import { runWorker } from '@sluice/worker';

export interface Service extends AsyncDisposable {
  readonly url: string;
  readonly databaseUrl: string;
}

const readyMs = 15_000;

async function untilReady(url: string): Promise<void> {
  for (const deadline = Date.now() + readyMs; Date.now() < deadline; await sleep(50))
    if ((await fetch(`${url}/readyz`)).ok) return;
  throw new Error(`not ready within ${readyMs} ms`);
}

/** A gateway and, unless told otherwise, a worker in this process, on Postgres and Redis of their own. */
export async function startService(
  extra: Record<string, string> = {},
  { worker = true } = {},
): Promise<Service> {
  await using stack = new AsyncDisposableStack();
  const environment = {
    PORT: '0',
    LOG_LEVEL: 'silent',
    RECONCILE_SECONDS: '1',
    // Shares that are leased through a Redis which has just been started are given after three seconds.
    DB_BUDGET: 'none',
    DATABASE_URL: stack.use(await createTestDatabase()).url,
    REDIS_URL: stack.use(await createTestRedis()).url,
    ...extra,
  };
  if (worker) {
    const running = await runWorker(environment);
    stack.defer(() => running.stop());
  }
  const gateway = await runGateway(environment);
  stack.defer(() => gateway.stop());
  const { url } = gateway;
  await untilReady(url);
  const running = stack.move();
  return { url, databaseUrl: environment.DATABASE_URL, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
