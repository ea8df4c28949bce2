import { request } from 'node:http';
import { appRoutes } from '@bull-board/api/dist/routes.js';
import { openApiDocument } from '@sluice/contract';
import type { Scope } from '@sluice/store';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requiredScope } from '../src/access/route-scopes.ts';
import { type RunningGateway, runGateway } from '../src/index.ts';
import { problemOf } from './support/client.ts';
import { bearer, createKeyMaker, type KeyMaker } from './support/keys.ts';
import { type ListedRoute, listRoutes, namesBefore } from './support/list-routes.ts';
import { startServices, untilReady } from './support/running-service.ts';

const bootstrap = 'a-key-of-sufficient-length';
const scopes: readonly Scope[] = ['ingest', 'query', 'monitor', 'admin'];
const dashboard = '/admin/queues';

/** Its app keeps its routes to itself. */
function dashboardRoutes(): ListedRoute[] {
  return [appRoutes.entryPoint, ...appRoutes.api].flatMap(({ method, route }) =>
    [route].flat().flatMap((path) =>
      [method].flat().map((one) => ({
        method: one.toUpperCase(),
        path: `${dashboard}${path}`.replace(/\/$/, ''),
      })),
    ),
  );
}

/** An id that nothing has, and a collection that is there. */
function concrete(path: string): string {
  return path.replace(/:name\b/g, 'default').replace(/:\w+/g, '00000000-0000-7000-8000-000000000000');
}

describeWithServices(['postgres'], 'nobody gets in without the right key, on any route', () => {
  const stack = new AsyncDisposableStack();
  let gateway: RunningGateway;
  let keys: KeyMaker;
  let routes: ListedRoute[];
  let byScope: Record<Scope, { key: string }>;

  beforeAll(async () => {
    const { environment } = stack.use(await startServices('postgres-only'));
    gateway = await runGateway({
      ...environment,
      SLUICE_API_KEYS: bootstrap,
      AUTH_FAILURES_PER_MINUTE: '0',
    });
    stack.defer(() => gateway.stop());
    await untilReady(gateway.url);
    keys = stack.use(createKeyMaker(environment.DATABASE_URL as string));
    const [ingest, query, monitor, admin] = await Promise.all(
      (['ingest', 'query', 'monitor', 'admin'] as const).map(async (scope) => keys.make({ scopes: [scope] })),
    );
    byScope = { ingest, query, monitor, admin } as Record<Scope, { key: string }>;
    routes = [...listRoutes(gateway.app), ...dashboardRoutes()];
  });
  afterAll(() => stack.disposeAsync());

  const send = ({ method, path }: ListedRoute, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}${concrete(path)}`, {
      // What is left of the methods.
      method: method === 'ALL' ? 'PUT' : method,
      headers,
      redirect: 'manual',
    });
  const needed = ({ method, path }: ListedRoute) =>
    requiredScope(method === 'ALL' ? 'PUT' : method, concrete(path));
  const closed = () => routes.filter((route) => needed(route) !== 'public');

  test('every route is in the table with the scope that was decided for it', async () => {
    const lines = routes
      .filter(({ method }) => method !== 'ALL')
      .map((route) => `${route.method} ${route.path}: ${needed(route)}`);
    // A new route makes this fail: decide on its scope in route-scopes.ts, and write the list again with -u.
    await expect(`${lines.sort().join('\n')}\n`).toMatchFileSnapshot('route-scopes.txt');
  });

  test('every route of the API is in its OpenAPI document, and nothing else is', () => {
    const named = (method: string, path: string) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`;
    const served = routes
      .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/v1/'))
      .map(({ method, path }) => named(method, path));
    const described = Object.entries(openApiDocument('1.0.0').paths ?? {})
      .filter(([path]) => path.startsWith('/v1/'))
      .flatMap(([path, operations]) =>
        Object.keys(operations ?? {}).map((method) => named(method.toUpperCase(), path)),
      );
    expect(described.sort()).toEqual(served.sort());
  });

  test('what comes before the check answers probes and nothing else', () => {
    expect(namesBefore(gateway.app, 'checkAccess')).toEqual([
      'requestId',
      'measureRequest',
      'traceRequest',
      'logAccess',
      'setSecurityHeaders',
      'router',
      'checkOrigin',
      'identifyCaller',
      'countRequest',
    ]);
  });

  test('without a key, and with one that is malformed, wrong, expired or revoked, the answer is 401', async () => {
    const expired = await keys.make({ expiresAt: new Date(Date.now() - 1_000) });
    const revoked = await keys.make();
    await keys.revoke(revoked.id);
    const last = byScope.admin.key.endsWith('x') ? 'y' : 'x';
    const wrong = [
      undefined,
      '',
      'Bearer',
      `bearer ${bootstrap}x`,
      `Bearer ${bootstrap.slice(1)}`,
      'Basic eDp5',
      'Basic ====',
      'Digest username="admin"',
      `Bearer ${byScope.admin.key.slice(0, -1)}${last}`,
      `Bearer ${byScope.admin.key.slice(0, 16)}`,
      `Bearer ${expired.key}`,
      `Bearer ${revoked.key}`,
    ];
    expect(closed().length).toBeGreaterThan(60);
    for (const route of closed()) {
      const answers = await Promise.all(
        wrong.map((authorization) => send(route, authorization === undefined ? {} : { authorization })),
      );
      for (const [i, answer] of answers.entries()) {
        expect(answer.status, `${route.method} ${route.path} with ${wrong[i]}`).toBe(401);
        expect(answer.headers.get('www-authenticate')).toMatch(
          route.path.startsWith(dashboard) ? /^Basic realm=/ : /^Bearer$/,
        );
        if (route.method !== 'HEAD') expect((await problemOf(answer)).code).toBe('unauthorized');
      }
    }
  });

  test.each(scopes)('a key with the scope %s opens what the table says, and nothing else', async (scope) => {
    for (const route of closed()) {
      const answer = await send(route, bearer(byScope[scope].key));
      const title = `${route.method} ${route.path}`;
      if (scope === 'admin' || scope === needed(route)) {
        expect([401, 403], title).not.toContain(answer.status);
        await answer.body?.cancel();
      } else {
        expect(answer.status, title).toBe(403);
        expect(await problemOf(answer)).toMatchObject({ code: 'forbidden', scope: needed(route) });
      }
    }
  });

  /** As it is written, which fetch would tidy up. */
  function statusOf(method: string, path: string, headers: Record<string, string> = {}): Promise<number> {
    const { hostname, port } = new URL(gateway.url);
    return new Promise((resolve, reject) => {
      request({ hostname, port, method, path, headers }, (answer) => resolve(answer.resume().statusCode ?? 0))
        .on('error', reject)
        .end();
    });
  }
  const spellings: Record<string, (path: string) => string> = {
    'in capitals': (path) => path.toUpperCase(),
    'with a slash at the end': (path) => `${path}/`,
    'with two slashes in front': (path) => `/${path}`,
    'with two slashes inside': (path) => path.replace(/(?<=.)\//, '//'),
    'with an encoded letter': (path) =>
      path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    'with an encoded slash': (path) => path.replace(/(?<=.)\//, '%2f'),
    'with a backslash': (path) => path.replace(/(?<=.)\//, '\\'),
    'with a parameter': (path) => `${path};public=1`,
    'with a dot': (path) => path.replace(/(?<=.)\//, '/./'),
    'out of an open folder': (path) => `/docs/..${path}`,
    'out of an open folder, encoded': (path) => `/assets/%2e%2e${path}`,
    'with a zero byte': (path) => `${path}%00`,
    'with a query': (path) => `${path}?path=/healthz`,
    'as a whole URL': (path) => `http://localhost${path}`,
    'below an open path': (path) => `/healthz${path}`,
  };
  test.each(Object.keys(spellings))(
    'a path written %s opens no route that it would not open',
    async (name) => {
      const spell = spellings[name] as (path: string) => string;
      for (const route of closed()) {
        const path = spell(concrete(route.path));
        const method = route.method === 'ALL' ? 'PUT' : route.method;
        const other = scopes.find((scope) => scope !== 'admin' && scope !== needed(route)) as Scope;
        const statuses = [
          await statusOf(method, path),
          await statusOf(method, path, bearer(byScope[other].key)),
        ];
        for (const status of statuses) expect([400, 401, 403, 404], `${method} ${path}`).toContain(status);
      }
    },
  );

  test('the case of a path changes nothing', async () => {
    expect((await send({ method: 'GET', path: '/V1/Collections/' }, bearer(byScope.query.key))).status).toBe(
      200,
    );
    expect((await send({ method: 'POST', path: '/V1/COLLECTIONS' }, bearer(byScope.query.key))).status).toBe(
      403,
    );
    expect((await send({ method: 'GET', path: '/METRICS' }, bearer(byScope.query.key))).status).toBe(403);
    expect((await send({ method: 'GET', path: '/Admin/Queues' })).status).toBe(401);
  });

  test('keys of the environment open everything, also as a password', async () => {
    const basic = { authorization: `Basic ${btoa(`anybody:${bootstrap}`)}` };
    expect((await send({ method: 'GET', path: dashboard }, basic)).status).toBe(200);
    expect((await send({ method: 'GET', path: '/v1/collections' }, bearer(bootstrap))).status).toBe(200);
    const monitor = { authorization: `Basic ${btoa(`anybody:${byScope.monitor.key}`)}` };
    expect((await send({ method: 'GET', path: dashboard }, monitor)).status).toBe(200);
  });
});
