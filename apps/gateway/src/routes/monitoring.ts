import type { DatabaseStatsBody } from '@sluice/contract';
import { type Request, Router } from 'express';
import { mayUse } from '../access/caller.ts';
import { methodNotAllowed } from '../middleware/problems.ts';
import type { Services } from '../services.ts';

/** Without what is said of collections that the key is not for. */
function visibleTo(caller: Request['caller'], stats: DatabaseStatsBody): DatabaseStatsBody {
  const hidden = new Set(
    stats.collection_stats.map(({ collection }) => collection).filter((name) => !mayUse(caller, name)),
  );
  const nameIn = (subject: string) => subject.split(':')[0] as string;
  return {
    ...stats,
    collection_stats: stats.collection_stats.filter(({ collection }) => !hidden.has(collection)),
    recommendations: stats.recommendations.filter(
      ({ subject }) => subject === null || !hidden.has(nameIn(subject)),
    ),
  };
}

/** What operators look at; the same figures are metrics where that makes sense. */
export function monitoringRoutes({ monitor }: Services): Router {
  const router = Router();
  const reports: Record<string, (caller: Request['caller']) => Promise<unknown>> = {
    '/pool-status': monitor.poolReport,
    '/database-stats': async (caller) => visibleTo(caller, await monitor.databaseStats()),
    '/queues': monitor.queueReport,
    '/scaling': monitor.scaling,
  };
  for (const [path, read] of Object.entries(reports)) {
    router
      .route(path)
      .get(async (request, response) => {
        response.set('cache-control', 'no-store').json(await read(request.caller));
      })
      .all(methodNotAllowed('GET'));
  }
  return router;
}
