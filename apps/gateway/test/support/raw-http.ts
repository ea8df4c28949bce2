import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How the bytes of a request go out. */
export interface RawRequest {
  /** From the request line on. Each is written by itself, a little after the one before. */
  pieces: readonly Buffer[];
  /** What happens after the last piece: wait for the answer, say that no more will come, or cut the connection. */
  afterwards: 'wait' | 'end' | 'reset';
}

/**
 * What came back before the connection was closed, or when an answer stood there and nothing more came for a moment; empty where
 * the connection was closed without a word. Rejects when nothing happens for `patienceMs`.
 */
export async function sendRaw(
  url: string,
  { pieces, afterwards }: RawRequest,
  patienceMs: number,
): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  using _ = { [Symbol.dispose]: () => socket.destroy() };
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes.toString('latin1')));
  // A server that has refused a request may close while its rest is still being written.
  socket.on('error', () => {});
  const closed = new Promise<true>((resolve) => socket.once('close', () => resolve(true)));
  await Promise.race([once(socket, 'connect').catch(() => {}), closed]);
  for (const piece of pieces) {
    if (!socket.writable) break;
    socket.write(piece);
    await sleep(1);
  }
  if (afterwards === 'reset') socket.resetAndDestroy();
  if (afterwards === 'end') socket.end();
  const deadline = Date.now() + patienceMs;
  while (!(await Promise.race([closed, sleep(20, false)]))) {
    if (/^HTTP\/1\.1 (?!100)/m.test(answer)) return answer;
    if (Date.now() > deadline)
      throw new Error(`no answer within ${patienceMs} ms; so far: ${answer || 'nothing'}`);
  }
  return answer;
}
