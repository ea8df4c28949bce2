import { runGateway } from '@sluice/gateway';
import { createTestDatabase, createTestRedis } from '@sluice/testing';
import { runWorker } from '@sluice/worker';

export interface Service extends AsyncDisposable {
  readonly url: string;
}

/** A gateway and a worker in this process, on Postgres and Redis of their own. */
export async function startService(extra: Record<string, string> = {}): Promise<Service> {
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
  const worker = await runWorker(environment);
  stack.defer(() => worker.stop());
  const gateway = await runGateway(environment);
  stack.defer(() => gateway.stop());
  const { url } = gateway;
  const running = stack.move();
  return { url, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
