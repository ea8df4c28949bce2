import type { IncomingHttpHeaders } from 'node:http';
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

export interface HttpTracer {
  /** Runs `next` inside a span of the request, which goes on the caller's trace where there is one. Returns how to end it. */
  begin(
    request: { method: string; headers: IncomingHttpHeaders; requestId: string },
    next: () => void,
  ): (end: { route: string; status: number | undefined }) => void;
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/, without paths and queries, which may say what somebody looked for. */
export function createHttpTracer(): HttpTracer {
  const tracer = trace.getTracer('sluice');
  return {
    begin({ method, headers, requestId }, next) {
      const caller = propagation.extract(ROOT_CONTEXT, headers);
      const attributes = { 'http.request.method': method, 'sluice.request_id': requestId };
      const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, caller);
      context.with(trace.setSpan(caller, span), next);
      return ({ route, status }) => {
        span.updateName(`${method} ${route}`);
        span.setAttribute('http.route', route);
        if (status !== undefined) span.setAttribute('http.response.status_code', status);
        if (status === undefined || status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      };
    },
  };
}
