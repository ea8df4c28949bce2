import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../src/index.ts';
import { problemOf } from './support/client.ts';
import { type Environment, startServices, untilReady } from './support/running-service.ts';

const page = 'https://app.example.org';

/** What comes back for bytes that are sent one after the other, with a pause between them, until the other side closes. */
async function drip(url: string, beginning: string, rest: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes.toString('latin1')));
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(beginning);
  for (const byte of rest) {
    if (!socket.writable || answer !== '') break;
    socket.write(byte);
    await sleep(100);
  }
  await closed;
  return answer;
}

describeWithServices(['postgres'], 'a request', () => {
  const stack = new AsyncDisposableStack();
  let environment: Environment;
  let gateway: RunningGateway;
  beforeAll(async () => {
    environment = stack.use(await startServices('postgres-only')).environment;
    gateway = await start({ HEADERS_TIMEOUT_SECONDS: '1', BODY_TIMEOUT_SECONDS: '1' });
  });
  afterAll(() => stack.disposeAsync());

  async function start(extra: Environment): Promise<RunningGateway> {
    const started = await runGateway({ ...environment, ...extra });
    stack.defer(() => started.stop());
    await untilReady(started.url);
    return started;
  }

  test('whose headers come byte by byte is ended', async () => {
    const answer = await drip(
      gateway.url,
      'GET /v1/collections HTTP/1.1\r\nHost: localhost\r\n',
      'X-A: '.padEnd(600, 'a'),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('whose body comes byte by byte is ended, unless it is an upload', async () => {
    const head = (path: string, type: string) =>
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: 40\r\nConnection: close\r\n\r\n`;
    const [query, upload] = await Promise.all([
      drip(gateway.url, head('/v1/query', 'application/json'), '{'.padEnd(600)),
      drip(gateway.url, head('/v1/uploads', 'text/plain'), 'x'.repeat(40)),
    ]);
    expect(query).toMatch(/^HTTP\/1\.1 408 /);
    expect(query).toContain('"code":"request_timeout"');
    expect(upload).toMatch(/^HTTP\/1\.1 202 /);
  });

  test('with more than 16 KiB of headers is refused', async () => {
    const answer = await fetch(`${gateway.url}/v1/collections`, {
      headers: { 'x-long': 'a'.repeat(17_000) },
    });
    expect(answer.status).toBe(431);
  });

  test('with hundreds of headers is refused', async () => {
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`x-${i}`, 'a']));
    expect((await fetch(`${gateway.url}/v1/collections`, { headers: many })).status).toBe(431);
  });

  test.each([
    ['/v1/query', 1_048_577],
    ['/v1/collections', 102_401],
    ['/v1/keys', 102_401],
    ['/v1/uploads', 8 * 1_048_576 + 1],
  ])('to %s of more than its limit of JSON is refused', async (path, bytes) => {
    const answer = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `"${'x'.repeat(bytes)}"`,
    });
    expect(answer.status).toBe(413);
    expect((await problemOf(answer)).code).toBe('file_too_large');
  });

  const preflight = (url: string, origin: string) =>
    fetch(`${url}/v1/uploads`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });
  const post = (url: string, origin: string) =>
    fetch(`${url}/v1/batches`, { method: 'POST', headers: { origin } });

  test('of a page of another origin is not allowed by default', async () => {
    for (const answer of [await preflight(gateway.url, page), await post(gateway.url, page)]) {
      expect(answer.ok).toBe(false);
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    const read = await fetch(`${gateway.url}/v1/collections`, { headers: { origin: page } });
    expect(read.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('of a page whose origin is allowed is, with a key and without cookies, and of another one still is not', async () => {
    const bootstrap = 'a-key-of-sufficient-length';
    const { url } = await start({ CORS_ORIGINS: page, SLUICE_API_KEYS: bootstrap });
    const allowed = await preflight(url, page);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(page);
    expect(allowed.headers.get('access-control-allow-headers')).toBe('authorization');
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
    const answer = await fetch(`${url}/v1/batches`, {
      method: 'POST',
      headers: { origin: page, authorization: `Bearer ${bootstrap}` },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('access-control-allow-origin')).toBe(page);
    expect(answer.headers.get('access-control-expose-headers')).toContain('RateLimit');
    expect((await post(url, page)).status).toBe(401);
    for (const origin of [
      'https://evil.example',
      'https://app.example.org.evil.example',
      'null',
      'http://app.example.org',
    ]) {
      expect((await preflight(url, origin)).headers.get('access-control-allow-origin')).toBeNull();
      expect((await post(url, origin)).status).toBe(403);
    }
  });

  test.each(['/', '/docs/', '/admin/queues', '/v1/collections', '/healthz', '/v1/nothing'])(
    'to %s is answered with headers that keep a browser careful',
    async (path) => {
      const { headers } = await fetch(`${gateway.url}${path}`);
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'self'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('x-powered-by')).toBeNull();
    },
  );
});
