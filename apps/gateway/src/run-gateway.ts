import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Config, type Environment, loadConfig, requireServices } from '@sluice/config';
import { checkQueueBackend } from '@sluice/queue';
import { createLogger } from '@sluice/telemetry';
import type { Express } from 'express';
import packageJson from '../package.json' with { type: 'json' };
import { answerBrokenRequests } from './answer-broken-requests.ts';
import { createApp } from './app.ts';
import { ensureDefaultCollection, makeFirstKey, untilDone } from './first-start.ts';
import { openServices } from './open-services.ts';

export interface RunningGateway {
  /** Where it listens, e.g. `http://127.0.0.1:3000`. */
  url: string;
  /** What answers; its routes can be listed. */
  app: Express;
  /** Resolves when the gateway has stopped. */
  stopped: Promise<void>;
  /** Ends requests under way within the deadline, then closes what it opened. Safe to call twice. */
  stop(): Promise<void>;
}

export interface GatewayHooks {
  /**
   * Gets the key that is made when the gateway can be reached from other machines and there is and never was a key. It is not kept anywhere,
   * and must not be logged. Without this hook none is made, and nobody gets in.
   */
  onFirstKey?: (key: string) => void;
}

// How often Node looks for requests past their time; by default every 30 s.
const connectionsCheckingInterval = 1_000;
// Longer than load balancers keep idle connections (60 s by default): one that is closed here while a request is on its way to it
// is an error for the client. Node's own 5 s are shorter.
const keepAliveTimeout = 75_000;
// A request of ours has a dozen headers, and a proxy adds as many; what has more of either is answered with 431.
const maxHeaderSize = 16_384;
const maxHeadersCount = 100;

async function listen(server: Server, host: string, port: number): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

function serve(app: Express, { http }: Config): Server {
  const server = createServer(
    {
      requestTimeout: http.uploadTimeoutMs,
      headersTimeout: Math.min(http.headersTimeoutMs, http.uploadTimeoutMs),
      maxHeaderSize,
      connectionsCheckingInterval,
      keepAliveTimeout,
    },
    app,
  );
  server.maxHeadersCount = maxHeadersCount;
  answerBrokenRequests(server);
  return server;
}

/** Builds a gateway from the environment and listens. Throws `ConfigError`, or what Node says of the port (`EADDRINUSE`). */
export async function runGateway(
  environment: Environment,
  { onFirstKey }: GatewayHooks = {},
): Promise<RunningGateway> {
  const config = loadConfig(environment);
  const { queue } = requireServices(config);
  const log = createLogger({ name: 'gateway', ...config.log });
  const onError = (error: unknown) => log.error({ err: error }, 'background');
  const { version } = packageJson;
  const { services, ...opened } = await openServices({ config, log, version, onError });
  const closing = new AbortController();
  const app = createApp(services);
  const server = serve(app, config);

  async function closeServices(): Promise<void> {
    closing.abort();
    await opened[Symbol.asyncDispose]();
  }

  let url: string;
  try {
    url = await listen(server, config.http.host, config.http.port);
  } catch (error) {
    await closeServices();
    throw error;
  }
  untilDone(
    async () => {
      await ensureDefaultCollection(services);
      if (!config.http.local && config.http.apiKeys.length === 0 && onFirstKey)
        await makeFirstKey(services, onFirstKey);
      log.info(await services.serverFacts.read(), 'database');
    },
    onError,
    closing.signal,
  );
  checkQueueBackend(queue).then((warnings) => {
    for (const warning of warnings) log.warn(warning);
  }, onError);
  log.info({ mode: config.mode, url }, 'gateway listens');

  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  async function close(): Promise<void> {
    log.info('gateway stopping');
    const closed = once(server, 'close');
    server.close();
    // Event streams never end by themselves; their clients come back to another replica.
    const cut = setTimeout(
      () => server.closeAllConnections(),
      Math.min(config.shutdownTimeoutMs * 0.7, 5_000),
    );
    await closed;
    clearTimeout(cut);
    await closeServices();
    log.info('gateway stopped');
    resolve();
  }
  return {
    url,
    app,
    stopped,
    stop() {
      stopping ??= close();
      return stopping;
    },
  };
}
