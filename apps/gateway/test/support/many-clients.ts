import { Agent, request } from 'node:http';
import type { AnswerBody } from '@sluice/contract';

export interface Reply {
  status: number;
  retryAfter: string | undefined;
  body: AnswerBody & { code?: string };
}

/** Clients that each keep one connection open. */
export interface ManyClients extends Disposable {
  ask(client: number, body: Record<string, unknown>): Promise<Reply>;
  /** Connections that are open now. */
  connections(): number;
}

export function createClients(url: string, count: number): ManyClients {
  const agents = Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const open = (sockets: NodeJS.ReadOnlyDict<unknown[]>) => Object.values(sockets).flat().length;
  return {
    ask: (client, body) =>
      new Promise((resolve, reject) => {
        const asked = request(`${url}/v1/query`, {
          method: 'POST',
          agent: agents[client],
          headers: { 'content-type': 'application/json' },
        });
        asked.on('error', reject);
        asked.on('response', async (answer) => {
          const text = (await answer.toArray()).join('');
          resolve({
            status: answer.statusCode ?? 0,
            retryAfter: answer.headers['retry-after'],
            body: JSON.parse(text),
          });
        });
        asked.end(JSON.stringify(body));
      }),
    connections: () =>
      agents.reduce((sum, { sockets, freeSockets }) => sum + open(sockets) + open(freeSockets), 0),
    [Symbol.dispose]() {
      for (const agent of agents) agent.destroy();
    },
  };
}
