import { Router } from 'express';
import { methodNotAllowed } from '../middleware/problems.ts';
import type { Services } from '../services.ts';

/** What operators look at; the same figures are metrics where that makes sense. */
export function monitoringRoutes({ monitor }: Services): Router {
  const router = Router();
  const reports: Record<string, () => Promise<unknown>> = {
    '/pool-status': monitor.poolReport,
    '/database-stats': monitor.databaseStats,
    '/queues': monitor.queueReport,
    '/scaling': monitor.scaling,
  };
  for (const [path, read] of Object.entries(reports)) {
    router
      .route(path)
      .get(async (_request, response) => {
        response.set('cache-control', 'no-store').json(await read());
      })
      .all(methodNotAllowed('GET'));
  }
  return router;
}
