import type { ApiKeyBody, AuditEntryBody, MadeApiKeyBody, Problem } from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../src/index.ts';
import { problemOf } from './support/client.ts';
import { bearer } from './support/keys.ts';
import { type Environment, startServices, untilReady } from './support/running-service.ts';

const bootstrap = 'a-key-of-sufficient-length';

describeWithServices(['postgres'], 'keys over HTTP', () => {
  const stack = new AsyncDisposableStack();
  let environment: Environment;
  let gateway: RunningGateway;
  beforeAll(async () => {
    environment = stack.use(await startServices('postgres-only')).environment;
    gateway = await runGateway({ ...environment, SLUICE_API_KEYS: bootstrap });
    stack.defer(() => gateway.stop());
    await untilReady(gateway.url);
  });
  afterAll(() => stack.disposeAsync());

  const send = (method: string, path: string, body?: unknown, key = bootstrap) =>
    fetch(`${gateway.url}/v1${path}`, {
      method,
      headers: { ...bearer(key), 'content-type': 'application/json', 'x-request-id': 'of-this-test' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  async function make(body: Record<string, unknown>, key?: string): Promise<MadeApiKeyBody> {
    const answer = await send('POST', '/keys', body, key);
    expect(answer.status).toBe(201);
    return (await answer.json()) as MadeApiKeyBody;
  }
  const status = async (key: string) => (await send('GET', '/collections', undefined, key)).status;

  test('a key is made, shown once, used at once, rotated with grace, and revoked at once', async () => {
    const answer = await send('POST', '/keys', { name: 'reader', scopes: ['query'] });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const made = (await answer.json()) as MadeApiKeyBody;
    expect(answer.headers.get('location')).toBe(`/v1/keys/${made.id}`);
    expect(made).toMatchObject({
      prefix: `slu_${made.id}`,
      state: 'active',
      collections: null,
      created_by: 'env-1',
    });
    expect(await status(made.key)).toBe(200);

    const shown = await (await send('GET', `/keys/${made.id}`)).text();
    const listed = await (await send('GET', '/keys')).text();
    expect(JSON.parse(shown)).toMatchObject({ id: made.id, name: 'reader' });
    for (const text of [shown, listed]) expect(text).not.toContain(made.key.slice(17));

    const rotated = (await (await send('POST', `/keys/${made.id}/rotate`)).json()) as MadeApiKeyBody;
    expect([await status(made.key), await status(rotated.key)]).toEqual([200, 200]);
    const again = await send('POST', `/keys/${made.id}/rotate`, { grace_seconds: 0 });
    const last = (await again.json()) as MadeApiKeyBody;
    expect(await Promise.all([made, rotated, last].map(({ key }) => status(key)))).toEqual([401, 401, 200]);

    expect(await (await send('DELETE', `/keys/${made.id}`)).json()).toMatchObject({ state: 'revoked' });
    expect(await status(last.key)).toBe(401);
    const late = await send('POST', `/keys/${made.id}/rotate`);
    expect([late.status, (await problemOf(late)).code]).toEqual([409, 'key_ended']);
  });

  test('a key may revoke itself, and gets the answer', async () => {
    const { id, key } = await make({ name: 'operator', scopes: ['admin'] });
    expect((await send('DELETE', `/keys/${id}`, undefined, key)).status).toBe(200);
    expect(await status(key)).toBe(401);
  });

  test.each([
    ['no name', { scopes: ['query'] }, '/name'],
    ['no scope', { name: 'x', scopes: [] }, '/scopes'],
    ['a scope that is none', { name: 'x', scopes: ['root'] }, '/scopes/0'],
    [
      'a time that is over',
      { name: 'x', scopes: ['query'], expires_at: '2020-01-01T00:00:00Z' },
      '/expires_at',
    ],
    [
      'collections for who sees them all',
      { name: 'x', scopes: ['monitor'], collections: ['a'] },
      '/collections',
    ],
    ['no collection at all', { name: 'x', scopes: ['query'], collections: [] }, '/collections'],
    ['a member that is not known', { name: 'x', scopes: ['query'], owner: 'me' }, ''],
  ])('a key with %s is refused', async (_, body, path) => {
    const answer = await send('POST', '/keys', body);
    expect(answer.status).toBe(400);
    const problem: Problem = await problemOf(answer);
    expect(problem.code).toBe('invalid_request');
    expect(problem.errors?.[0]?.path).toBe(path);
  });

  test('a key that is not there is a 404', async () => {
    for (const [method, path] of [
      ['GET', '/keys/nothing'],
      ['DELETE', '/keys/nothing'],
      ['POST', '/keys/nothing/rotate'],
    ] as const) {
      const answer = await send(method, path);
      expect([answer.status, (await problemOf(answer)).code]).toEqual([404, 'key_not_found']);
    }
  });

  test('the audit log says who has done what, when and from where', async () => {
    const { id, key } = await make({ name: 'second operator', scopes: ['admin'] });
    await send('POST', '/collections', { name: 'audited' }, key);
    await send('PATCH', '/collections/audited', { text_search: false }, key);
    await send('DELETE', '/collections/audited', undefined, key);
    await send('POST', '/uploads/retry', {}, key);
    // What fails has not been done.
    await send('POST', '/collections', { name: 'default' }, key);
    await send('DELETE', `/keys/${id}`);

    const { entries } = (await (await send('GET', '/audit?limit=6')).json()) as { entries: AuditEntryBody[] };
    expect(entries.map(({ action, target, key_id }) => [action, target, key_id])).toEqual([
      ['key.revoke', id, 'env-1'],
      ['uploads.retry', null, id],
      ['collection.delete', 'audited', id],
      ['collection.change', 'audited', id],
      ['collection.create', 'audited', id],
      ['key.create', id, 'env-1'],
    ]);
    expect(entries[4]).toMatchObject({
      key_name: 'second operator',
      address: expect.stringContaining('127.0.0.1'),
      request_id: 'of-this-test',
    });
    expect(Date.parse(entries[4]?.at ?? '')).toBeLessThanOrEqual(Date.now() + 60_000);
    expect(JSON.stringify(entries)).not.toContain(key.slice(17));

    const page = async (query: string) =>
      (await (await send('GET', `/audit?${query}`)).json()) as {
        entries: AuditEntryBody[];
        next_cursor: string;
      };
    const first = await page('limit=2');
    const second = await page(`limit=2&cursor=${first.next_cursor}`);
    expect([...first.entries, ...second.entries]).toEqual(entries.slice(0, 4));
    const revoked = await page('action=key.revoke');
    expect(new Set(revoked.entries.map(({ action }) => action))).toEqual(new Set(['key.revoke']));
  });

  test('beyond localhost nobody is let in before there is a key', async () => {
    const services = stack.use(await startServices('postgres-only'));
    const open = { ...services.environment, HOST: '0.0.0.0' };
    const closed = await runGateway(open);
    stack.defer(() => closed.stop());
    const at = (other: RunningGateway) => other.url.replace('0.0.0.0', '127.0.0.1');
    await untilReady(at(closed));
    expect((await fetch(`${at(closed)}/v1/collections`)).status).toBe(401);

    const shown: string[] = [];
    const first = await runGateway(open, { onFirstKey: (key) => shown.push(key) });
    stack.defer(() => first.stop());
    await expect.poll(() => shown.length, { timeout: 10_000 }).toBe(1);
    const keys = await fetch(`${at(first)}/v1/keys`, { headers: bearer(shown[0] as string) });
    const body = (await keys.json()) as { keys: ApiKeyBody[] };
    expect(body.keys).toMatchObject([{ scopes: ['admin'], created_by: 'first start' }]);
  });
});
