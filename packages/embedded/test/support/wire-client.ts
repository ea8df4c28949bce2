import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), head, body]);
}

/** A client that sends whatever bytes a test wants, for what no driver would do. */
export interface WireClient {
  socket: Socket;
  /** All that arrived so far, as text with the framing in it. */
  received(): string;
  /** A simple query. */
  query(sql: string): void;
  /** Resolves when the bytes that arrived contain `text`; throws after five seconds. */
  waitFor(text: string): Promise<void>;
}

export function queryMessage(sql: string): Buffer {
  return message('Q', Buffer.from(`${sql}\0`));
}

export function startupMessage(): Buffer {
  return message('', Buffer.from('\0\x03\0\0user\0postgres\0database\0postgres\0\0', 'latin1'));
}

export async function connectRaw(url: string): Promise<WireClient> {
  const folder = new URL(url).searchParams.get('host');
  const socket = connect(`${folder}/.s.PGSQL.5432`);
  let data = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    data = Buffer.concat([data, chunk]);
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(startupMessage());
  const client: WireClient = {
    socket,
    received: () => data.toString('latin1'),
    query: (sql) => void socket.write(queryMessage(sql)),
    async waitFor(text) {
      for (let waited = 0; waited < 5_000; waited += 10) {
        if (data.includes(text)) return;
        await sleep(10);
      }
      throw new Error(`"${text}" did not arrive`);
    },
  };
  await client.waitFor('Z\0\0\0\x05I');
  return client;
}
