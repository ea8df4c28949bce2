import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UploadBody } from '@sluice/contract';
import { createPool } from '@sluice/pool';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGateway } from '../src/index.ts';
import { type Client, corpus, createClient, problemOf } from './support/client.ts';
import { startSluice, untilReady } from './support/running-service.ts';

const maxBytes = 1_000_000;

describeWithServices(['postgres', 'redis'], 'an upload that gives a URL', () => {
  const stack = new AsyncDisposableStack();
  const pages = new Map<string, RequestListener>();
  let origin: Server;
  let port: number;
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  let client: Client;
  beforeAll(async () => {
    origin = createServer((request, response) => {
      const page = pages.get(request.url ?? '');
      if (page) page(request, response);
      else response.writeHead(404).end();
    });
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    stack.defer(() => void origin.close());
    stack.defer(() => origin.closeAllConnections());
    ({ port } = origin.address() as AddressInfo);
    sluice = stack.use(
      await startSluice('services', {
        UPLOAD_URL_HOSTS: `public,localhost:${port}=127.0.0.1`,
        UPLOAD_URL_TIMEOUT_SECONDS: '2',
        UPLOAD_MAX_BYTES: String(maxBytes),
      }),
    );
    client = createClient(sluice.url);
  });
  afterAll(() => stack.disposeAsync());

  const send = (body: unknown, init: RequestInit = {}, path = '/v1/uploads', base = sluice.url) =>
    fetch(`${base}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      ...init,
      headers: { 'content-type': 'application/json', ...init.headers },
    });
  const at = (path: string) => `http://localhost:${port}${path}`;
  const idOf = async (answer: Response) => {
    expect(answer.status, await answer.clone().text()).toBe(202);
    return ((await answer.json()) as { uploads: UploadBody[] }).uploads[0]?.id as string;
  };
  async function rows(): Promise<number> {
    await using pool = createPool({
      connectionString: sluice.environment.DATABASE_URL as string,
      size: 1,
      maxOverflow: 0,
    });
    const counted = await pool.query<{ count: number }>(
      'select (select count(*) from sluice.uploads) + (select count(*) from sluice.upload_parts) as count',
    );
    return counted.rows[0]?.count ?? -1;
  }

  test('brings the document, with its name and options, and it can be found', async () => {
    const bytes = await readFile(new URL('bid-security.pdf', corpus));
    pages.set('/files/download', (_, response) =>
      response
        .setHeader('content-type', 'application/pdf')
        .setHeader('content-disposition', 'attachment; filename="bid-security.pdf"')
        .end(bytes),
    );
    pages.set('/latest', (_, response) => response.writeHead(302, { location: '/files/download' }).end());
    const batch = (await (await send({}, {}, '/v1/batches')).json()) as { id: string };
    const answer = await send(
      { url: at('/latest'), external_id: 'law-1', metadata: { year: 2026 } },
      {},
      `/v1/uploads?batch=${batch.id}`,
    );
    const upload = await client.settled(await idOf(answer));
    expect(upload).toMatchObject({
      state: 'ready',
      name: 'bid-security.pdf',
      format: 'pdf',
      external_id: 'law-1',
      metadata: { year: 2026 },
      size_bytes: bytes.length,
      batch_id: batch.id,
    });
    const { results } = await client.query({ query: 'An error in arithmetic' });
    expect(results[0]?.document.external_id).toBe('law-1');
  });

  test('that is repeated with its key is answered with the first, also when the page has changed', async () => {
    let visits = 0;
    pages.set('/page.txt', (_, response) => {
      visits += 1;
      response.setHeader('content-type', 'text/plain').end(`Visit ${visits}.`);
    });
    const headers = { 'idempotency-key': 'page-1' };
    const first = await idOf(await send({ url: at('/page.txt') }, { headers }));
    const again = await send({ url: at('/page.txt') }, { headers });
    expect([again.headers.get('idempotent-replayed'), await idOf(again)]).toEqual(['true', first]);
    const other = await send({ url: at('/page.txt?other') }, { headers });
    expect(other.status).toBe(422);
    pages.set('/other.txt', (_, response) => response.end('Other.'));
    const reused = await send({ url: at('/other.txt') }, { headers });
    expect((await problemOf(reused)).code).toBe('idempotency_key_reused');
    // What others count after this does not change any more.
    await client.settled(first);
  });

  const endless: RequestListener = (_, response) => {
    const more = () => {
      while (!response.destroyed)
        if (!response.write('x'.repeat(65_536))) return void response.once('drain', more);
    };
    more();
  };
  test.each([
    ['a page that is missing', '/missing', 422, 'url_refused', { upstream_status: 404 }],
    ['an endless one', '/endless', 413, 'file_too_large', { limit: maxBytes }],
    ['one that never comes', '/never', 504, 'url_timeout', { limit_seconds: 2 }],
    ['one that breaks off', '/broken', 502, 'url_unreachable', {}],
    ['an empty one', '/empty', 400, 'empty_file', {}],
    ['an image', '/image', 415, 'unknown_format', {}],
    ['a redirect to a private address', '/private', 403, 'url_not_allowed', {}],
  ] as const)('%s is refused and leaves nothing', async (_, path, status, code, details) => {
    pages.set('/endless', endless);
    pages.set('/never', () => {});
    pages.set('/broken', (__, response) => {
      response.writeHead(200, { 'content-length': 900_000 }).write('x'.repeat(100_000));
      setTimeout(() => response.destroy(), 100);
    });
    pages.set('/empty', (__, response) => response.end());
    pages.set('/image', (__, response) => response.end(Buffer.from('89504e470d0a1a0a0000', 'hex')));
    pages.set('/private', (__, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end(),
    );
    const before = await rows();
    const answer = await send({ url: at(path) });
    expect([answer.status, await problemOf(answer)]).toEqual([
      status,
      expect.objectContaining({ code, ...details }),
    ]);
    expect(await rows()).toBe(before);
  });

  test.each([
    ['loopback by name', 'http://localhost/'],
    ['loopback on another port', 'http://localhost:5432/'],
    ['the gateway itself', () => sluice.url],
    ['cloud metadata', 'http://169.254.169.254/latest/meta-data/'],
    ['a file', 'file:///etc/passwd'],
    ['credentials', 'https://user:hunter2@example.org/'],
    ['no URL', 'nonsense'],
  ])('%s is not allowed', async (_, url) => {
    const answer = await send({ url: typeof url === 'function' ? url() : url });
    const problem = await problemOf(answer);
    expect([answer.status, problem.code]).toEqual([403, 'url_not_allowed']);
    expect(problem.detail).not.toMatch(/127\.0\.0\.1 has|hunter2|::1/);
  });

  test.each([
    ['a text as well', { url: 'http://example.org/', text: 'Text.' }],
    ['a format, which the answer tells', { url: 'http://example.org/', format: 'text' }],
    ['a URL that is no text', { url: 5 }],
    ['a URL that is too long', { url: `http://example.org/${'x'.repeat(3_000)}` }],
  ])('with %s is refused', async (_, body) => {
    const answer = await send(body);
    expect([answer.status, (await problemOf(answer)).code]).toEqual([400, 'invalid_request']);
  });

  test('whose caller goes away is given up, and leaves nothing', async () => {
    const asked = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    pages.set('/slow', (_, response) => {
      response.write('first');
      response.once('close', closed.resolve);
      asked.resolve();
    });
    const before = await rows();
    const caller = new AbortController();
    const answer = send({ url: at('/slow') }, { signal: caller.signal }).catch(() => 'gone');
    await asked.promise;
    const start = performance.now();
    caller.abort();
    expect(await answer).toBe('gone');
    await closed.promise;
    // Well before the deadline of the fetching.
    expect(performance.now() - start).toBeLessThan(1_500);
    expect(await rows()).toBe(before);
  });

  test('is refused where no host is allowed, which is the default', async () => {
    const { UPLOAD_URL_HOSTS: _, ...environment } = sluice.environment;
    const gateway = await runGateway(environment);
    try {
      await untilReady(gateway.url);
      const answer = await send({ url: 'https://example.org/' }, {}, '/v1/uploads', gateway.url);
      const problem = await problemOf(answer);
      expect([answer.status, problem.code]).toEqual([403, 'url_not_allowed']);
      expect(problem.detail).toContain('switched off');
    } finally {
      await gateway.stop();
    }
  });
});
