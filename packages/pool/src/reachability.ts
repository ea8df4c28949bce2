import { createConnection } from 'node:net';
import type pg from 'pg';

// "Do you speak TLS?": every server and pooler answers it with a byte, before it looks for a free slot.
// https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** Whether anybody answers where `client` is connected to. Takes no slot of `max_connections`. Never rejects. */
export function isReachable({ host, port }: pg.Client, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = host.startsWith('/')
      ? createConnection(`${host}/.s.PGSQL.${port}`)
      : createConnection(port, host);
    const settle = (reachable: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reachable);
    };
    const timer = setTimeout(() => settle(false), timeoutMs);
    timer.unref();
    socket.once('connect', () => socket.write(sslRequest));
    socket.once('data', () => settle(true));
    socket.on('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}
