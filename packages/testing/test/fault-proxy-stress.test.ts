import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../src/index.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);

/** The same numbers for the same seed (mulberry32), from 0 to below `limit`. */
function random(start: number): (limit: number) => number {
  let state = start;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

describe(`a fault proxy in front of an echo (seed ${seed})`, () => {
  let server: Server;
  let proxy: FaultProxy;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    server = createServer({ allowHalfOpen: true }, (socket) => track(socket).pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await startFaultProxy({ port: (server.address() as AddressInfo).port });
  });

  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  function track(socket: Socket): Socket {
    sockets.add(socket);
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  }

  const open = () => track(connect({ port: proxy.port, host: '127.0.0.1' })).resume();

  async function sendAndCompare(next: (limit: number) => number): Promise<void> {
    const client = open();
    const [sent, received] = [createHash('sha1'), createHash('sha1')];
    client.on('data', (chunk) => received.update(chunk));
    for (let round = 0; round < 150; round += 1) {
      const chunk = Buffer.alloc(1 + next(40_000), String(next(1e9)));
      sent.update(chunk);
      if (!client.write(chunk)) await once(client, 'drain');
    }
    client.end();
    await once(client, 'end');
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  }

  test('keeps every stream intact while the delay changes', async () => {
    const next = random(seed);
    let sending = true;
    const changing = (async () => {
      while (sending) {
        proxy.delay(next(12));
        await sleep(next(5));
      }
    })();
    await Promise.all(Array.from({ length: 6 }, (_, at) => sendAndCompare(random(seed + at))));
    sending = false;
    await changing;
    await vi.waitFor(() => expect(proxy.connections).toBe(0));
  });

  test('works again after heal, whatever was done to it, and forgets all connections', async () => {
    const next = random(seed);
    const clients: Socket[] = [];
    const actions = [
      () => proxy.delay(next(10)),
      () => proxy.delay({ connect: next(20) }),
      () => proxy.drop(),
      () => proxy.halfOpen(),
      () => proxy.reset(),
      () => proxy.refuse(),
      () => proxy.cutAfter(next(3000)),
      () => proxy.cutAt('77', next(2) === 0 ? 'request' : 'answer'),
      () => proxy.heal(),
      () => proxy.heal(),
      () => clients.at(-1)?.end(),
      () => clients.at(-1)?.resetAndDestroy(),
    ];
    for (let round = 0; round < 300; round += 1) {
      for (let count = next(4); count > 0; count -= 1) clients.push(open());
      for (const client of clients.filter(({ writable }) => writable).slice(-8)) {
        client.write(String(next(1e9)).repeat(1 + next(40)));
      }
      await actions[next(actions.length)]?.();
      await sleep(next(4));
    }
    await proxy.heal();
    await sendAndCompare(next);
    proxy.reset();
    await vi.waitFor(() => expect([proxy.connections, sockets.size]).toEqual([0, 0]));
  });
});
