import {
  expectNoLeakedConnections,
  type PostgresOptions,
  type RunningService,
  startPostgres,
} from '@sluice/testing';
import { afterAll, beforeAll } from 'vitest';

/** One server for a suite that stops, kills or reconfigures it. Fails when a test has left a connection open. */
export function useServer(options?: PostgresOptions): () => RunningService {
  let server: RunningService;
  beforeAll(async () => {
    server = await startPostgres(options);
  });
  afterAll(async () => {
    try {
      await expectNoLeakedConnections(server.url);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
  return () => server;
}
