import { request } from 'node:http';
import { describeWithServices, startPostgres } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGateway } from '../src/index.ts';
import { form, problemOf } from './support/client.ts';
import { startSluice } from './support/running-service.ts';

const key = 'a-key-of-sufficient-length';

/** fetch does not let a caller set Host. */
function statusWithHost(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${url}/v1/collections`, { headers: { host } }, (response) =>
      resolve(response.resume().statusCode ?? 0),
    )
      .on('error', reject)
      .end();
  });
}

describeWithServices(['postgres'], 'with keys of the environment', () => {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  beforeAll(async () => {
    sluice = await startSluice('postgres-only', {
      SLUICE_API_KEYS: `${key}, another-key-of-sufficient-length`,
    });
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());

  test('a known key opens the API, and as a password the dashboard', async () => {
    const get = (path: string, authorization: string) =>
      fetch(`${sluice.url}${path}`, { headers: { authorization } });
    expect((await get('/v1/collections', `Bearer ${key}`)).status).toBe(200);
    expect((await get('/v1/collections', 'Bearer another-key-of-sufficient-length')).status).toBe(200);
    expect((await get('/admin/queues', `Basic ${btoa(`admin:${key}`)}`)).status).toBe(200);
  });

  test('metrics need a key, as the API does', async () => {
    expect((await fetch(`${sluice.url}/metrics`)).status).toBe(401);
    const headers = { authorization: `Bearer ${key}` };
    expect((await fetch(`${sluice.url}/metrics`, { headers })).status).toBe(200);
  });

  test('probes need no key', async () => {
    expect((await fetch(`${sluice.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${sluice.url}/readyz`)).status).toBe(200);
  });
});

describeWithServices(['postgres'], 'without keys, only this machine is served', () => {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  beforeAll(async () => {
    sluice = await startSluice('postgres-only');
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());

  test('a Host of another name is refused', async () => {
    expect(await statusWithHost(sluice.url, 'localhost:1')).toBe(200);
    expect(await statusWithHost(sluice.url, 'evil.example')).toBe(403);
    expect(await statusWithHost(sluice.url, 'localhost.evil.example')).toBe(403);
  });

  test('a page of another origin may not write', async () => {
    const post = (origin: string) =>
      fetch(`${sluice.url}/v1/uploads`, {
        method: 'POST',
        headers: { origin },
        body: form({ 'a.txt': 'x' }),
      });
    expect((await post('https://evil.example')).status).toBe(403);
    expect((await post('null')).status).toBe(403);
    expect((await post(sluice.url)).status).toBe(202);
  });
});

describeWithServices(['postgres', 'processes'], 'readiness', () => {
  test('names the database when it is away, and recovers by itself', async () => {
    await using postgres = await startPostgres();
    await postgres.stop();
    const gateway = await runGateway({ PORT: '0', LOG_LEVEL: 'silent', DATABASE_URL: postgres.url });
    try {
      expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
      const answer = await fetch(`${gateway.url}/readyz`);
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ ready: false, checks: { database: { ok: false } } });
      const query = await fetch(`${gateway.url}/v1/collections`);
      expect(await problemOf(query)).toMatchObject({ status: 503, code: 'database_unavailable' });
      expect(query.headers.get('retry-after')).toBe('2');
      await postgres.start();
      await expect
        .poll(async () => (await (await fetch(`${gateway.url}/readyz`)).json()) as unknown, {
          timeout: 10_000,
        })
        .toMatchObject({
          checks: {
            database: { ok: true },
            schema: { ok: false, detail: expect.stringContaining('migrate') },
          },
        });
    } finally {
      await gateway.stop();
    }
  });
});
