import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from '@sluice/pool';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestDatabase, describeWithServices, type FaultProxy, startFaultProxy } from '../src/index.ts';

/** What has come in at a socket, and how it ended. */
interface Peer {
  socket: Socket;
  text: string;
  ended: boolean;
  error: string | undefined;
}

function observe(socket: Socket): Peer {
  const peer: Peer = { socket, text: '', ended: false, error: undefined };
  socket.on('data', (chunk) => {
    peer.text += chunk.toString('latin1');
  });
  socket.on('end', () => {
    peer.ended = true;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    peer.error = error.code;
  });
  return peer;
}

async function serve(onConnection: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

describe('a fault proxy', () => {
  let server: Server;
  let port: number;
  let proxy: FaultProxy;
  let served: Peer[];
  const clients: Socket[] = [];

  beforeEach(async () => {
    served = [];
    ({ server, port } = await serve((socket) => {
      const peer = observe(socket);
      served.push(peer);
      socket.on('data', (chunk) => socket.write(`${chunk.toString('latin1').toUpperCase()}`));
      socket.on('end', () => socket.end());
    }));
    proxy = await startFaultProxy({ port });
  });

  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    for (const socket of clients.splice(0)) socket.destroy();
    for (const { socket } of served) socket.destroy();
    server.close();
  });

  function open(): Peer {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true });
    clients.push(socket);
    return observe(socket);
  }

  /** A client that has talked to the server through the proxy, and the server's side of it. */
  async function openAndTalk(): Promise<{ client: Peer; serving: Peer }> {
    const client = open();
    await say(client, 'hello');
    return { client, serving: served.at(-1)! };
  }

  async function say(client: Peer, text: string): Promise<void> {
    client.socket.write(text);
    await vi.waitFor(() => expect(client.text).toContain(text.toUpperCase()), { interval: 2 });
  }

  /** Longer than anything takes on this machine that is not held back on purpose. */
  const aWhile = () => sleep(80);

  test('passes bytes and the end of both streams, and counts connections', async () => {
    const { client, serving } = await openAndTalk();
    expect(client.text).toBe('HELLO');
    expect([proxy.connections, proxy.accepted]).toEqual([1, 1]);
    client.socket.end('bye');
    await once(client.socket, 'close');
    expect(client.text).toBe('HELLOBYE');
    expect([serving.text, serving.ended]).toEqual(['hellobye', true]);
    expect([proxy.connections, proxy.accepted]).toEqual([0, 1]);
  });

  test('puts its own host and port into a URL', () => {
    const url = 'postgres://some%40body:secret@db.example:5432/sluice?sslmode=disable';
    expect(proxy.through(url)).toBe(
      `postgres://some%40body:secret@127.0.0.1:${proxy.port}/sluice?sslmode=disable`,
    );
    expect(proxy.through('redis://localhost/3')).toBe(`redis://127.0.0.1:${proxy.port}/3`);
  });

  test('passes a hang-up and a reset of the server to the client, and a reset of the client to the server', async () => {
    const first = await openAndTalk();
    first.serving.socket.end('last words');
    await vi.waitFor(() => expect(first.client.ended).toBe(true));
    expect(first.client.text).toBe('HELLOlast words');
    const second = await openAndTalk();
    second.serving.socket.resetAndDestroy();
    await vi.waitFor(() => expect(second.client.error).toBe('ECONNRESET'));
    const third = await openAndTalk();
    third.client.socket.resetAndDestroy();
    await vi.waitFor(() => expect(third.serving.error).toBe('ECONNRESET'));
    await vi.waitFor(() => expect(proxy.connections).toBe(0));
  });

  test('resets its client when no server listens', async () => {
    const { server: closed, port: nobody } = await serve(() => {});
    closed.close();
    await using lost = await startFaultProxy({ port: nobody });
    const client = observe(connect({ port: lost.port, host: '127.0.0.1' }));
    await vi.waitFor(() => expect(client.error).toBe('ECONNRESET'));
    await vi.waitFor(() => expect(lost.connections).toBe(0));
  });

  test('does not read faster than the other side, and loses nothing by it', async () => {
    const total = 96 * 1024 ** 2;
    const { server: slow, port: slowPort } = await serve((socket) => socket.pause());
    await using narrow = await startFaultProxy({ port: slowPort });
    const arriving = once(slow, 'connection');
    const client = connect({ port: narrow.port, host: '127.0.0.1' });
    const sent = createHash('sha1');
    let written = 0;
    const feed = async () => {
      for (let offset = 0; offset < total; offset += 1024 ** 2) {
        const chunk = Buffer.alloc(1024 ** 2, `${offset} `);
        sent.update(chunk);
        await new Promise((resolve) => client.write(chunk, resolve));
        written += chunk.length;
      }
      client.end();
    };
    const fed = feed();
    const [socket] = (await arriving) as [Socket];
    await vi.waitFor(async () => {
      const before = written;
      await sleep(150);
      expect(written).toBe(before);
    });
    expect(written).toBeLessThan(total / 2);
    const received = createHash('sha1');
    for await (const chunk of socket) received.update(chunk as Buffer);
    await fed;
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    slow.close();
  });

  describe('delay', () => {
    test('holds every byte back in each direction, in order, and the end of the stream too', async () => {
      const { client } = await openAndTalk();
      proxy.delay(60);
      const start = performance.now();
      for (const letter of 'abcdef') {
        client.socket.write(letter);
        await sleep(2);
      }
      client.socket.end();
      await once(client.socket, 'close');
      expect(performance.now() - start).toBeGreaterThanOrEqual(119);
      expect(client.text).toBe('HELLOABCDEF');
    });

    test('keeps the order when it grows and shrinks, and releases what is on its way when it ends', async () => {
      const { client, serving } = await openAndTalk();
      for (const [index, ms] of [60_000, 5000, 60_000, 30_000].entries()) {
        proxy.delay(ms);
        client.socket.write(String(index));
        await sleep(5);
      }
      expect(serving.text).toBe('hello');
      proxy.delay(0);
      await vi.waitFor(() => expect(client.text).toBe('HELLO0123'), { timeout: 1000 });
    });

    test('of connects only, lets new connections wait before they reach the server', async () => {
      const { client } = await openAndTalk();
      proxy.delay({ connect: 300 });
      const start = performance.now();
      const late = open();
      const patient = say(late, 'late');
      await say(client, 'prompt');
      expect(served).toHaveLength(1);
      await patient;
      expect(performance.now() - start).toBeGreaterThanOrEqual(299);
      proxy.delay({ connect: 60_000 });
      const later = say(open(), 'later');
      await aWhile();
      expect(served).toHaveLength(2);
      await proxy.heal();
      await later;
    });

    test('forgets a client that has gone while it waited', async () => {
      proxy.delay({ connect: 60_000 });
      const client = open();
      await vi.waitFor(() => expect(proxy.connections).toBe(1));
      client.socket.destroy();
      await vi.waitFor(() => expect(proxy.connections).toBe(0));
    });
  });

  describe('drop', () => {
    test('loses bytes of both directions and keeps the sockets open; heal lets new bytes pass', async () => {
      const { client, serving } = await openAndTalk();
      proxy.drop();
      client.socket.write('lost ');
      serving.socket.write('lost ');
      await aWhile();
      expect([client.text, client.ended, client.error]).toEqual(['HELLO', false, undefined]);
      expect([serving.text, serving.ended, serving.error]).toEqual(['hello', false, undefined]);
      await proxy.heal();
      await say(client, 'found');
      expect([client.text, serving.text]).toEqual(['HELLOFOUND', 'hellofound']);
    });

    test('loses what a delay has on its way', async () => {
      const { client, serving } = await openAndTalk();
      proxy.delay(60_000);
      client.socket.write('lost');
      await aWhile();
      proxy.drop();
      await proxy.heal();
      await say(client, 'found');
      expect(serving.text).toBe('hellofound');
    });

    test('accepts new connections that reach no server before heal', async () => {
      proxy.drop();
      const client = open();
      client.socket.write('lost ');
      await once(client.socket, 'connect');
      await aWhile();
      expect(served).toHaveLength(0);
      await proxy.heal();
      await say(client, 'found');
      expect(client.text).toBe('FOUND');
    });

    test('hides hang-ups and resets from the other side until heal', async () => {
      const ended = await openAndTalk();
      const reset = await openAndTalk();
      const abandoned = await openAndTalk();
      proxy.drop();
      ended.client.socket.destroy();
      reset.client.socket.resetAndDestroy();
      abandoned.serving.socket.end();
      await aWhile();
      expect([ended.serving.ended, reset.serving.error, abandoned.client.ended]).toEqual([
        false,
        undefined,
        false,
      ]);
      expect(proxy.connections).toBe(1);
      await proxy.heal();
      await vi.waitFor(() => {
        expect(ended.serving.ended).toBe(true);
        expect(reset.serving.error).toBe('ECONNRESET');
        expect(abandoned.client.ended).toBe(true);
      });
    });

    test('swallows any amount', async () => {
      const { client } = await openAndTalk();
      proxy.drop();
      const chunk = Buffer.alloc(32 * 1024 ** 2);
      await new Promise((resolve) => client.socket.write(chunk, resolve));
      await aWhile();
      await proxy.heal();
      await say(client, 'found');
    });
  });

  test('halfOpen hangs up on the server and leaves the client without an answer, also after heal', async () => {
    const { client, serving } = await openAndTalk();
    proxy.halfOpen();
    await vi.waitFor(() => expect(serving.ended).toBe(true));
    await say(open(), 'new ones work');
    await proxy.heal();
    client.socket.write('anybody there?');
    await aWhile();
    expect([client.text, client.ended, client.error]).toEqual(['HELLO', false, undefined]);
    expect(proxy.connections).toBe(2);
    client.socket.end();
    await aWhile();
    expect([client.ended, proxy.connections]).toEqual([false, 1]);
  });

  test('reset sends an RST to both sides of all current connections, and new ones work', async () => {
    const peers = [await openAndTalk(), await openAndTalk()];
    proxy.reset();
    await vi.waitFor(() => {
      for (const { client, serving } of peers) {
        expect([client.error, serving.error]).toEqual(['ECONNRESET', 'ECONNRESET']);
      }
    });
    await openAndTalk();
    expect([proxy.connections, proxy.accepted]).toEqual([1, 3]);
  });

  test('reset works while connections are half-open, in a black hole, or have not reached the server', async () => {
    const { client } = await openAndTalk();
    proxy.halfOpen();
    proxy.drop();
    const late = open();
    await once(late.socket, 'connect');
    await vi.waitFor(() => expect(proxy.connections).toBe(2));
    proxy.reset();
    await vi.waitFor(() => expect([client.error, late.error]).toEqual(['ECONNRESET', 'ECONNRESET']));
    await vi.waitFor(() => expect(proxy.connections).toBe(0));
  });

  test('refuse refuses new connections, lets current ones live, and heal opens the same port again', async () => {
    const { client } = await openAndTalk();
    proxy.refuse();
    const refused = open();
    await vi.waitFor(() => expect(refused.error).toBe('ECONNREFUSED'));
    await say(client, 'still here');
    await proxy.heal();
    await openAndTalk();
    await say(client, 'ever after');
    proxy.refuse();
  });

  describe('cutAfter', () => {
    test('lets exactly so many bytes of the clients reach the server, and cuts once', async () => {
      const bystander = await openAndTalk();
      const { client, serving } = await openAndTalk();
      proxy.cutAfter(10);
      await say(bystander.client, '1234');
      client.socket.write('abcdefghijkl');
      await vi.waitFor(() => expect(client.error).toBe('ECONNRESET'));
      await vi.waitFor(() => expect(serving.ended).toBe(true));
      expect(serving.text).toBe('helloabcdef');
      await say(bystander.client, 'a long text that nobody cuts');
    });

    test('is called off by heal', async () => {
      const { client } = await openAndTalk();
      proxy.cutAfter(3);
      proxy.cutAt('called', 'request');
      await proxy.heal();
      await say(client, 'called off');
    });
  });

  describe('cutAt', () => {
    test('loses the request: the server gets nothing of it', async () => {
      const { client, serving } = await openAndTalk();
      proxy.cutAt('commit', 'request');
      await say(client, 'begin');
      client.socket.write('commit');
      await vi.waitFor(() => expect(client.error).toBe('ECONNRESET'));
      await vi.waitFor(() => expect(serving.ended).toBe(true));
      expect(serving.text).toBe('hellobegin');
    });

    test('loses the answer: the server gets the request, the client nothing more', async () => {
      const { client, serving } = await openAndTalk();
      proxy.cutAt('commit', 'answer');
      client.socket.write('commit');
      await vi.waitFor(() => expect(client.error).toBe('ECONNRESET'));
      await vi.waitFor(() => expect(serving.ended).toBe(true));
      expect([client.text, serving.text]).toEqual(['HELLO', 'hellocommit']);
      const { client: next } = await openAndTalk();
      await say(next, 'commit');
    });

    test('finds a text in two chunks of one client, but not of two', async () => {
      const [left, right] = [await openAndTalk(), await openAndTalk()];
      proxy.cutAt('commit', 'request');
      await say(left.client, 'com');
      await say(right.client, 'mit');
      left.client.socket.write('mit');
      await vi.waitFor(() => expect(left.client.error).toBe('ECONNRESET'));
      await say(right.client, 'unharmed');
      expect(left.serving.text).toBe('hellocom');
    });
  });

  test('closes everything when it is disposed of, whatever state it is in', async () => {
    const { client, serving } = await openAndTalk();
    await openAndTalk();
    proxy.halfOpen();
    const held = await openAndTalk();
    proxy.delay(60_000);
    held.client.socket.write('held');
    proxy.delay({ connect: 60_000 });
    const waiting = open();
    await once(waiting.socket, 'connect');
    proxy.drop();
    proxy.refuse();
    await proxy[Symbol.asyncDispose]();
    await vi.waitFor(() => {
      for (const peer of [client, serving, held.client, held.serving, waiting]) {
        expect(peer.ended || peer.error !== undefined).toBe(true);
      }
    });
    expect(proxy.connections).toBe(0);
    await proxy[Symbol.asyncDispose]();
  });
});

describeWithServices('postgres', 'a fault proxy in front of Postgres', () => {
  for (const lost of ['request', 'answer'] as const) {
    test(`makes a commit fail whose ${lost} is lost, and only the database knows what became of it`, async () => {
      await using database = await createTestDatabase({ migrated: false });
      await using direct = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
      const { hostname, port } = new URL(database.url);
      await using proxy = await startFaultProxy({ host: hostname, port: Number(port) });
      await using pool = createPool({
        connectionString: proxy.through(database.url),
        size: 1,
        maxOverflow: 0,
      });
      await direct.query('create table kept (id int)');
      const statement = 'begin; insert into kept values (1); commit';
      await pool.query('select 1');
      proxy.cutAt('; commit', lost);
      await expect(pool.query(statement)).rejects.toThrow();
      const { rows } = await direct.query('select id from kept');
      expect(rows).toEqual(lost === 'answer' ? [{ id: 1 }] : []);
    });
  }
});
