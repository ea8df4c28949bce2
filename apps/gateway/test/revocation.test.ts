import { once } from 'node:events';
import { request } from 'node:http';
import { describeWithServices, startPostgres } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../src/index.ts';
import { problemOf } from './support/client.ts';
import { bearer, createKeyMaker, type KeyMaker } from './support/keys.ts';
import { migrateServer } from './support/own-server.ts';
import { type Environment, startServices, untilReady } from './support/running-service.ts';

const bootstrap = 'a-key-of-sufficient-length';

describeWithServices(['postgres', 'processes'], 'keys while the database is away', () => {
  test('stay what they were, wrong ones too, and a gateway that has not read them lets nobody in', async () => {
    await using postgres = await startPostgres();
    await migrateServer(postgres.url, true);
    await using keys = createKeyMaker(postgres.url);
    const { key } = await keys.make({ scopes: ['monitor'] });
    const environment = { PORT: '0', LOG_LEVEL: 'silent', DATABASE_URL: postgres.url, DB_POOL_TIMEOUT: '2' };
    const gateway = await runGateway(environment);
    const metrics = (url: string, sent: string) => fetch(`${url}/metrics`, { headers: bearer(sent) });
    try {
      await untilReady(gateway.url);
      expect((await metrics(gateway.url, key)).status).toBe(200);
      await postgres.stop();
      expect((await metrics(gateway.url, key)).status).toBe(200);
      expect((await metrics(gateway.url, `${key.slice(0, -1)}!`)).status).toBe(401);
      const late = await runGateway(environment);
      try {
        const answer = await metrics(late.url, key);
        expect([answer.status, (await problemOf(answer)).code]).toEqual([503, 'database_unavailable']);
        expect((await fetch(`${late.url}/v1/collections`)).status).toBe(503);
      } finally {
        await late.stop();
      }
      await postgres.start();
    } finally {
      await gateway.stop();
    }
  });
});

describeWithServices(['postgres'], 'a key that is taken away', () => {
  const stack = new AsyncDisposableStack();
  let keys: KeyMaker;
  let environment: Environment;
  let gateways: [RunningGateway, RunningGateway];

  async function start(extra: Environment = {}): Promise<RunningGateway> {
    const gateway = await runGateway({ ...environment, SLUICE_API_KEYS: bootstrap, ...extra });
    stack.defer(() => gateway.stop());
    await untilReady(gateway.url);
    return gateway;
  }
  beforeAll(async () => {
    environment = stack.use(await startServices('postgres-only')).environment;
    keys = stack.use(createKeyMaker(environment.DATABASE_URL as string));
    gateways = [await start(), await start()];
  });
  afterAll(() => stack.disposeAsync());

  const statusAt = async ({ url }: RunningGateway, path: string, key: string) => {
    const answer = await fetch(`${url}${path}`, { headers: bearer(key) });
    await answer.body?.cancel();
    return answer.status;
  };
  const everywhere = (key: string) =>
    Promise.all(gateways.map((gateway) => statusAt(gateway, '/v1/collections', key)));

  test('opens nothing on any gateway any more, and streams that it has opened end', async () => {
    const { id, key } = await keys.make({ scopes: ['ingest', 'query'] });
    await expect.poll(() => everywhere(key), { timeout: 5_000 }).toEqual([200, 200]);
    const { url } = gateways[1];
    const headers = bearer(key);
    const batch = (await (await fetch(`${url}/v1/batches`, { method: 'POST', headers })).json()) as {
      id: string;
    };
    const stream = await fetch(`${url}/v1/batches/${batch.id}/events`, { headers });
    const ended = stream.text().catch(() => 'cut off');
    await keys.revoke(id);
    expect(await ended).toBe('cut off');
    await expect.poll(() => everywhere(key), { timeout: 5_000 }).toEqual([401, 401]);
  });

  test('ends an upload that is still arriving', async () => {
    const { id, key } = await keys.make({ scopes: ['ingest'] });
    const { hostname, port } = new URL(gateways[0].url);
    await expect.poll(() => statusAt(gateways[0], '/v1/uploads', key), { timeout: 5_000 }).toBe(200);
    const sending = request({ hostname, port, method: 'POST', path: '/v1/uploads', headers: bearer(key) });
    const closed = once(sending, 'close').catch(() => {});
    sending.setHeader('content-type', 'text/plain');
    // More than one part, so that the first is stored while the rest is still to come.
    sending.write('A long text. '.repeat(200_000));
    const rows = async () => (await keys.pool.query('select from sluice.uploads')).rowCount;
    await expect.poll(rows, { timeout: 10_000 }).toBe(1);
    await keys.revoke(id);
    await closed;
    await expect.poll(rows, { timeout: 5_000 }).toBe(0);
  });

  test('that has a time goes by itself when that is over', async () => {
    const { key } = await keys.make({ scopes: ['query'], expiresAt: new Date(Date.now() + 4_000) });
    await expect.poll(() => everywhere(key), { interval: 20, timeout: 3_500 }).toEqual([200, 200]);
    await expect.poll(() => everywhere(key), { timeout: 5_000 }).toEqual([401, 401]);
  });

  test('a gateway for this machine asks for keys from the first one on, and for good', async () => {
    const services = stack.use(await startServices('postgres-only'));
    const own = stack.use(createKeyMaker(services.environment.DATABASE_URL as string));
    const open = await start({ ...services.environment, SLUICE_API_KEYS: '' });
    const status = async (key = '') => statusAt(open, '/v1/collections', key);
    expect(await status()).toBe(200);
    const batch = await fetch(`${open.url}/v1/batches`, { method: 'POST' });
    const { id } = (await batch.json()) as { id: string };
    const stream = (await fetch(`${open.url}/v1/batches/${id}/events`)).text().catch(() => 'cut off');
    const made = await own.make();
    expect(await stream).toBe('cut off');
    await expect.poll(() => status(), { timeout: 5_000 }).toBe(401);
    await expect.poll(() => status(made.key), { timeout: 5_000 }).toBe(200);
    await own.revoke(made.id);
    await expect.poll(() => status(made.key), { timeout: 5_000 }).toBe(401);
    const answer = await fetch(`${open.url}/v1/collections`);
    expect((await problemOf(answer)).code).toBe('unauthorized');
  });
});
