import { Gauge, Histogram, type Registry } from 'prom-client';

export interface HttpMetrics {
  /**
   * A request has begun; call what is returned when its answer is out. `route` is a template, never a path; no `status`: the answer was
   * not sent to its end.
   */
  begin(method: string): (end: { route: string; status: number | undefined }) => void;
}

// Seconds, as OpenTelemetry advises, without those that tell nothing here.
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
// As proxies log it. Event streams that nobody watches any more end so.
const clientGone = 499;
const method = 'http_request_method';
const status = 'http_response_status_code';

/** https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ in Prometheus' spelling. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const registers = [registry];
  const duration = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'From the head of a request to the end of its answer.',
    labelNames: [method, 'http_route', status],
    buckets,
    registers,
  });
  const active = new Gauge({
    name: 'http_server_active_requests',
    help: 'Requests being answered, event streams included.',
    labelNames: [method],
    registers,
  });
  return {
    begin(given) {
      const start = performance.now();
      const known = methods.has(given) ? given : '_OTHER';
      active.inc({ [method]: known });
      return ({ route, status: sent }) => {
        active.dec({ [method]: known });
        duration.observe(
          { [method]: known, http_route: route, [status]: sent ?? clientGone },
          (performance.now() - start) / 1_000,
        );
      };
    },
  };
}
