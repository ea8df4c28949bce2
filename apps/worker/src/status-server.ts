import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DependencyChecks, Registry } from '@sluice/telemetry';
import { type MetricsAccess, mayReadMetrics } from './may-read-metrics.ts';
import type { WorkHealth } from './work-health.ts';

export interface StatusServerOptions {
  host: string;
  /** 0: a free one. */
  port: number;
  /** Who reads metrics needs a key, as at a gateway. */
  access: MetricsAccess;
  health: () => WorkHealth;
  /** All of them have to be well. */
  checks: DependencyChecks<string>;
  metrics: Registry;
}

export interface StatusServer extends AsyncDisposable {
  url: string;
}

// Probes and scrapers are few.
const maxConnections = 100;

type Answer = [status: number, type: string, body: string];

const json = (status: number, body: object): Answer => [status, 'application/json', JSON.stringify(body)];

/** What a worker tells of itself over HTTP. Takes nothing in. */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { host, port, access, health, checks, metrics } = options;

  async function readiness(): Promise<Answer> {
    const body = await checks();
    const ready = Object.values(body).every(({ ok }) => ok);
    return json(ready ? 200 : 503, { ready, checks: body });
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { status: 'GET only' });
    switch (request.url?.split('?', 1)[0]) {
      case '/healthz': {
        const { healthy, detail } = health();
        return json(healthy ? 200 : 503, { status: healthy ? 'ok' : 'stuck', detail });
      }
      case '/readyz':
        return readiness();
      case '/metrics':
        if (!(await mayReadMetrics(access, request)))
          return json(401, { status: 'send an API key with the scope monitor' });
        return [200, metrics.contentType, await metrics.metrics()];
      default:
        return json(404, { status: 'there are /healthz, /readyz and /metrics' });
    }
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const [status, type, body] = await answer(request).catch(() => json(500, { status: 'failed' }));
    response.writeHead(status, {
      'content-type': type,
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  const server = createServer({ requestTimeout: 5_000, connectionsCheckingInterval: 1_000 }, respond);
  server.maxConnections = maxConnections;
  server.listen(port, host);
  await once(server, 'listening');
  const { address, family, port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
