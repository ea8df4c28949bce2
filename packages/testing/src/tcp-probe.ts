import { connect } from 'node:net';

const TIMEOUT_MS = 1000;

/** True if somebody listens on 127.0.0.1 at `port`. */
export function acceptsConnections(port: number): Promise<boolean> {
  return exchange(port, null);
}

/** True if a Redis there answers PING; false while it still loads. */
export function answersPing(port: number): Promise<boolean> {
  return exchange(port, 'PING\r\n', /^(\+PONG|-NOAUTH)/);
}

function exchange(port: number, message: string | null, expected?: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(TIMEOUT_MS, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('data', (data) => settle(expected?.test(data.toString()) ?? true));
    socket.once('connect', () => (message === null ? settle(true) : socket.write(message)));
  });
}
