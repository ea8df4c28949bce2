import { Client } from 'undici';

export interface HttpCallers extends AsyncDisposable {
  /** POSTs to /v1/query over one of the connections that is free, else behind what one of them is at. Throws what is not 200. */
  ask(body: string): Promise<void>;
}

const headers = { 'content-type': 'application/json' };

export function createHttpCallers(url: string, connections: number): HttpCallers {
  const clients = Array.from({ length: connections }, () => new Client(url));
  const free = [...clients];
  let next = 0;

  async function askOver(client: Client, body: string): Promise<void> {
    const answer = await client.request({ method: 'POST', path: '/v1/query', headers, body });
    await answer.body.dump();
    if (answer.statusCode === 200) return;
    const retryAfterMs = Number(answer.headers['retry-after'] ?? 0) * 1_000;
    throw Object.assign(new Error(`status ${answer.statusCode}`), { retryAfterMs });
  }

  return {
    async ask(body) {
      const client = free.pop();
      if (!client) return askOver(clients[next++ % connections] as Client, body);
      try {
        await askOver(client, body);
      } finally {
        free.push(client);
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.destroy()));
    },
  };
}
