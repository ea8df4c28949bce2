import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGateway } from '../src/index.ts';
import { form, problemOf } from './support/client.ts';
import { startSluice, untilReady } from './support/running-service.ts';

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

describeWithServices(['postgres', 'redis'], 'who wants to know when an upload has ended', () => {
  const stack = new AsyncDisposableStack();
  /** `path type name` of what has arrived. */
  const arrived: string[] = [];
  let port: number;
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  beforeAll(async () => {
    const receiver = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const { type, data } = JSON.parse(Buffer.concat(parts).toString());
      arrived.push(`${request.url} ${type} ${data.name}`);
      response.writeHead(request.headers['webhook-signature'] ? 204 : 400).end();
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    stack.defer(() => void receiver.close());
    ({ port } = receiver.address() as AddressInfo);
    sluice = stack.use(
      await startSluice('services', {
        WEBHOOK_URL: `http://127.0.0.1:${port}/ours`,
        WEBHOOK_HOSTS: `public,localhost:${port}=127.0.0.1`,
        WEBHOOK_SECRET: secret,
      }),
    );
  });
  afterAll(() => stack.disposeAsync());

  const send = (name: string, webhook?: string, base = sluice.url) =>
    fetch(`${base}/v1/uploads${webhook === undefined ? '' : `?webhook=${encodeURIComponent(webhook)}`}`, {
      method: 'POST',
      body: form({ [name]: `The text of ${name}.`, [`second-${name}`]: 'More text.' }),
    });

  test('is told at the URL of the server, or at the one of the request, once for each file', async () => {
    expect((await send('a.txt')).status).toBe(202);
    expect((await send('b.txt', `http://localhost:${port}/theirs?token=1`)).status).toBe(202);
    await expect.poll(() => arrived.length, { timeout: 20_000 }).toBe(4);
    expect(arrived.toSorted()).toEqual([
      '/ours upload.ready a.txt',
      '/ours upload.ready second-a.txt',
      '/theirs?token=1 upload.ready b.txt',
      '/theirs?token=1 upload.ready second-b.txt',
    ]);
  });

  test.each([
    ['cloud metadata', () => 'http://169.254.169.254/'],
    ['another path of the server that is told', () => `http://127.0.0.1:${port}/admin`],
    ['a port that is not allowed', () => 'http://example.org:6379/'],
    ['credentials', () => 'https://a:b@example.org/'],
    ['what is no URL', () => 'nonsense'],
  ])('cannot be %s, and nothing is uploaded then', async (_, webhook) => {
    const answer = await send('c.txt', webhook());
    expect([answer.status, (await problemOf(answer)).code]).toEqual([403, 'url_not_allowed']);
    const { uploads } = (await (await fetch(`${sluice.url}/v1/uploads`)).json()) as {
      uploads: { name: string }[];
    };
    expect(uploads.filter(({ name }) => name === 'c.txt')).toEqual([]);
  });

  test('cannot be given where no host is allowed, which is the default', async () => {
    const { WEBHOOK_URL: _, WEBHOOK_HOSTS: __, WEBHOOK_SECRET: ___, ...environment } = sluice.environment;
    const gateway = await runGateway(environment);
    try {
      await untilReady(gateway.url);
      const answer = await send('d.txt', 'https://example.org/', gateway.url);
      expect([answer.status, (await problemOf(answer)).code]).toEqual([403, 'url_not_allowed']);
    } finally {
      await gateway.stop();
    }
  });
});
