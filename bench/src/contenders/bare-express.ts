import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';

/** The least that an Express server can do with a query: parse it, and write an answer as JSON. */
export async function runExpress(answer: unknown): Promise<{ url: string; stop(): Promise<void> }> {
  const app = express();
  app.post('/v1/query', express.json(), (_request, response) => void response.json(answer));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
