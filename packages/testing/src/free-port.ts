import { createServer } from 'node:net';

// Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that a server
// that is stopped for a moment finds its port free when it comes back.
const FIRST = 20_000;
const COUNT = 12_000;

/** A TCP port on 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await canListen(port)) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** `start` at the port `wanted`, else at a free one: between finding it and listening, somebody may take it. */
export async function withFreePort<T>(
  wanted: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T> {
  if (wanted !== undefined) return start(wanted);
  try {
    return await start(await freePort());
  } catch (error) {
    if (!/address already in use/i.test(String(error))) throw error;
    return start(await freePort());
  }
}
