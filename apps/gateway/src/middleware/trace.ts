import type { HttpTracer } from '@sluice/telemetry';
import type { RequestHandler } from 'express';
import { routeTemplate } from '../route-template.ts';
import { isProbe } from './is-probe.ts';

/** Every request but those of machines that look after this one is a span, and what it does is part of it. */
export function traceRequests(tracer: HttpTracer | undefined): RequestHandler {
  if (!tracer) {
    return function traceRequest(_request, _response, next) {
      next();
    };
  }
  return function traceRequest(request, response, next) {
    if (isProbe(request.path)) return next();
    const { method, headers, id: requestId } = request;
    const end = tracer.begin({ method, headers, requestId }, next);
    const close = () => {
      const status = response.writableFinished ? response.statusCode : undefined;
      end({ route: routeTemplate(request), status });
    };
    if (response.closed) close();
    else response.once('close', close);
  };
}
