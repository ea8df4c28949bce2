import type { Registry } from '@sluice/telemetry';
import { Router } from 'express';
import { methodNotAllowed } from '../middleware/problems.ts';

/** In Prometheus' text format. */
export function metricsRoutes(metrics: Registry): Router {
  const router = Router();
  router
    .route('/')
    .get(async (_request, response) => {
      response.type(metrics.contentType).send(await metrics.metrics());
    })
    .all(methodNotAllowed('GET'));
  return router;
}
