import type { Readiness } from '@sluice/contract';
import { isMigrated, requireSupported } from '@sluice/store';
import { Router } from 'express';
import type { Services } from '../services.ts';

type Check = Readiness['checks'][string];

async function timed(check: () => Promise<string | undefined>): Promise<Check> {
  const start = performance.now();
  const latency = () => Math.round((performance.now() - start) * 10) / 10;
  try {
    const fault = await check();
    return { ok: fault === undefined, latency_ms: latency(), ...(fault !== undefined && { detail: fault }) };
  } catch (error) {
    return { ok: false, latency_ms: latency(), detail: (error as Error).message };
  }
}

/** Alive: the process answers. Ready: it can do its work; what cannot is named. */
export function healthRoutes({ pool, producer, cache, catalog, serverFacts }: Services): Router {
  const router = Router();
  let migrated = false;

  async function checkSchema(): Promise<string | undefined> {
    migrated ||= await isMigrated(pool);
    if (!migrated) return 'the schema is not up to date: run "sluice migrate"';
    requireSupported(await serverFacts.read());
    return (await catalog.byName('default')) ? undefined : 'the collection "default" is not there yet';
  }

  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/readyz', async (_request, response) => {
    const [database, schema, queue, cached] = await Promise.all([
      timed(async () => (await pool.testConnection()).error),
      timed(checkSchema),
      timed(() => producer.ping().then(() => undefined)),
      timed(() => cache.ping().then(() => undefined)),
    ]);
    // Without its cache a gateway is slower, not useless.
    const ready = database.ok && schema.ok && queue.ok;
    const body: Readiness = { ready, checks: { database, schema, queue, cache: cached } };
    response.status(ready ? 200 : 503).json(body);
  });
  return router;
}
