import type { HttpMetrics } from '@sluice/telemetry';
import type { RequestHandler } from 'express';
import { routeTemplate } from '../route-template.ts';

/** Counts each request when its answer is out. */
export function measure(metrics: HttpMetrics): RequestHandler {
  return function measureRequest(request, response, next) {
    const end = metrics.begin(request.method);
    response.once('close', () => {
      const status = response.writableFinished ? response.statusCode : undefined;
      end({ route: routeTemplate(request), status });
    });
    next();
  };
}
