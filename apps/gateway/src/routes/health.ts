import type { Readiness } from '@sluice/contract';
import { Router } from 'express';
import type { GatewayChecks } from '../gateway-checks.ts';

/** Alive: the process answers. Ready: it can do its work; what cannot is named. */
export function healthRoutes(checks: GatewayChecks): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/readyz', async (_request, response) => {
    const found = await checks();
    // Without its cache a gateway is slower, and without its standbys the primary reads alone: not useless.
    const ready = found.database.ok && found.schema.ok && found.queue.ok;
    const body: Readiness = { ready, checks: found };
    response.status(ready ? 200 : 503).json(body);
  });
  return router;
}
