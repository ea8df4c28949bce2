import { describeWithServices, startFaultProxy, startRedis } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { networkOf } from '../src/access/failed-attempts.ts';
import { type RunningGateway, runGateway } from '../src/index.ts';
import { form, problemOf } from './support/client.ts';
import { bearer, createKeyMaker, type KeyMaker } from './support/keys.ts';
import { type Environment, type Mode, startServices, untilReady } from './support/running-service.ts';

const bootstrap = 'a-key-of-sufficient-length';

interface Started extends AsyncDisposable {
  environment: Environment;
  keys: KeyMaker;
  start(extra?: Environment): Promise<RunningGateway>;
}

async function prepare(mode: Mode): Promise<Started> {
  const stack = new AsyncDisposableStack();
  const { environment } = stack.use(await startServices(mode));
  return {
    environment,
    keys: stack.use(createKeyMaker(environment.DATABASE_URL as string)),
    async start(extra = {}) {
      const gateway = await runGateway({ ...environment, SLUICE_API_KEYS: bootstrap, ...extra });
      stack.defer(() => gateway.stop());
      await untilReady(gateway.url);
      return gateway;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const ask = ({ url }: RunningGateway, key: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/collections`, { headers: { ...bearer(key), ...headers } });
const statuses = (answers: Response[]) => answers.map(({ status }) => status).sort();

describeWithServices(['postgres', 'redis'], 'requests a minute, with Redis', () => {
  let started: Started;
  beforeAll(async () => {
    started = await prepare('services');
  });
  afterAll(() => started?.[Symbol.asyncDispose]());

  test('are counted for all gateways together, told in headers, and refused with the time to wait', async () => {
    const gateways = [await started.start(), await started.start()] as const;
    const { key } = await started.keys.make({ scopes: ['query'], requestsPerMinute: 6 });
    const first = await ask(gateways[0], key);
    expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=6;w=60');
    expect(first.headers.get('ratelimit')).toMatch(/^"requests";r=5;t=(60|[1-5]\d)$/);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => ask(gateways[i % 2] as RunningGateway, key)),
    );
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    const refused = answers.find(({ status }) => status === 429) as Response;
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit')).toMatch(/^"requests";r=0;t=\d+$/);
    expect(await problemOf(refused)).toMatchObject({ code: 'rate_limited', limit: 6 });
    // Of another key, and of what needs none, nothing was counted.
    expect((await ask(gateways[0], bootstrap)).status).toBe(200);
    expect((await fetch(`${gateways[0].url}/readyz`)).headers.get('ratelimit')).toBeNull();
  });

  test('have a default for keys without a limit of their own, which 0 lifts', async () => {
    const gateway = await started.start({ RATE_LIMIT_PER_MINUTE: '2' });
    const [plain, unlimited] = [
      await started.keys.make({ scopes: ['query'] }),
      await started.keys.make({ scopes: ['query'], requestsPerMinute: 0 }),
    ];
    const send = async (key: string) =>
      statuses([await ask(gateway, key), await ask(gateway, key), await ask(gateway, key)]);
    await expect.poll(async () => (await ask(gateway, unlimited.key)).status, { timeout: 5_000 }).toBe(200);
    expect(await send(plain.key)).toEqual([200, 200, 429]);
    expect(await send(unlimited.key)).toEqual([200, 200, 200]);
  });

  test('count what is refused for its scope', async () => {
    const gateway = await started.start();
    const { key } = await started.keys.make({ scopes: ['ingest'], requestsPerMinute: 2 });
    await expect.poll(async () => (await ask(gateway, key)).status, { timeout: 5_000 }).not.toBe(401);
    expect([(await ask(gateway, key)).status, (await ask(gateway, key)).status]).toEqual([403, 429]);
  });
});

describeWithServices(['postgres', 'redis', 'processes'], 'requests a minute, while Redis is away', () => {
  test('are counted by each gateway for itself, and none fails for it', async () => {
    await using redis = await startRedis();
    await using started = await prepare('postgres-only');
    const gateway = await started.start({ REDIS_URL: redis.url, DB_BUDGET: 'none' });
    const { key } = await started.keys.make({ scopes: ['query'], requestsPerMinute: 4 });
    await expect.poll(async () => (await ask(gateway, key)).status, { timeout: 5_000 }).toBe(200);
    await redis.kill();
    const answers: Response[] = [];
    for (let n = 0; n < 6; n += 1) answers.push(await ask(gateway, key));
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 429, 429]);
    await redis.start();
    // What Redis had is gone, so counting begins anew.
    await expect.poll(async () => (await ask(gateway, key)).status, { timeout: 10_000 }).toBe(200);
  });
});

describeWithServices(['postgres', 'redis'], 'requests a minute, while Redis is silent', () => {
  test('are answered and counted all the same, and together again once it speaks', async () => {
    await using started = await prepare('services');
    await using proxy = await startFaultProxy({
      port: Number(new URL(started.environment.REDIS_URL as string).port),
    });
    const gateway = await started.start({
      REDIS_URL: proxy.through(started.environment.REDIS_URL as string),
    });
    const { key } = await started.keys.make({ scopes: ['query'], requestsPerMinute: 200 });
    await expect.poll(async () => (await ask(gateway, key)).status, { timeout: 5_000 }).toBe(200);
    const remaining = async () =>
      Number(/r=(\d+)/.exec((await ask(gateway, key)).headers.get('ratelimit') ?? '')?.[1]);
    for (let n = 0; n < 100; n += 1) await remaining();
    proxy.drop();
    const silent = [await remaining(), await remaining(), await remaining()];
    expect(silent).toEqual([199, 198, 197]);
    await proxy.heal();
    await expect.poll(remaining, { timeout: 15_000, interval: 300 }).toBeLessThan(100);
  });
});

function quotas(mode: Mode): void {
  let started: Started;
  let gateway: RunningGateway;
  beforeAll(async () => {
    started = await prepare(mode);
    gateway = await started.start({ UPLOAD_MAX_BYTES: '20000' });
  });
  afterAll(() => started?.[Symbol.asyncDispose]());

  const sendText = (key: string, text: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/v1/uploads`, {
      method: 'POST',
      headers: { ...bearer(key), 'content-type': 'text/plain', ...headers },
      body: text,
    });
  async function make(limits: Parameters<KeyMaker['make']>[0]): Promise<string> {
    const { key } = await started.keys.make({ scopes: ['ingest'], ...limits });
    const known = () => fetch(`${gateway.url}/v1/uploads`, { headers: bearer(key) });
    await expect.poll(async () => (await known()).status, { timeout: 5_000 }).toBe(200);
    return key;
  }

  test('of uploads counts those that were accepted, each once', async () => {
    const key = await make({ uploadsPerDay: 4 });
    const once = { 'idempotency-key': 'once' };
    const first = await sendText(key, 'A text.', once);
    expect(first.headers.get('ratelimit-policy')).toBe('"uploads";q=4;w=86400');
    expect((await sendText(key, 'A text.', once)).headers.get('idempotent-replayed')).toBe('true');
    // Refused for another reason.
    expect((await sendText(key, '')).status).toBe(400);
    expect((await sendText(key, 'x'.repeat(20_001))).status).toBe(413);
    const two = await fetch(`${gateway.url}/v1/uploads`, {
      method: 'POST',
      headers: bearer(key),
      body: form({ 'a.txt': 'One file.', 'b.txt': 'Another file.' }),
    });
    expect(two.status).toBe(202);
    const answers = await Promise.all(['One', 'Two', 'Three'].map((text) => sendText(key, text)));
    expect(statuses(answers)).toEqual([202, 429, 429]);
    const refused = answers.find(({ status }) => status === 429) as Response;
    expect(await problemOf(refused)).toMatchObject({ code: 'quota_exceeded', quota: 'uploads', limit: 4 });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(80_000);
  });

  test('of bytes is kept also by requests at the same time, and a request that is too large for it does not use it up', async () => {
    const key = await make({ uploadBytesPerDay: 10_000 });
    expect((await sendText(key, 'x'.repeat(10_001))).status).toBe(429);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, i) => sendText(key, `${i}`.repeat(3_000))),
    );
    expect(statuses(answers)).toEqual([202, 202, 202, 429, 429, 429]);
    expect((await sendText(key, 'x'.repeat(1_000))).status).toBe(202);
    const body = await problemOf(await sendText(key, 'x'));
    expect(body).toMatchObject({ code: 'quota_exceeded', quota: 'upload-bytes', used: 10_000 });
  });

  test('of bytes counts what comes without a length', async () => {
    const key = await make({ uploadBytesPerDay: 5_000 });
    const stream = () =>
      fetch(`${gateway.url}/v1/uploads`, {
        method: 'POST',
        headers: { ...bearer(key), 'content-type': 'text/plain' },
        body: new Blob(['y'.repeat(5_000)]).stream(),
        duplex: 'half',
      } as RequestInit);
    expect((await stream()).status).toBe(202);
    expect((await stream()).status).toBe(429);
  });
}

describeWithServices(['postgres', 'redis'], 'a quota, with Redis', () => quotas('services'));
describe('a quota, embedded', () => quotas('embedded'));

describeWithServices(['postgres'], 'wrong keys', () => {
  let started: Started;
  beforeAll(async () => {
    started = await prepare('postgres-only');
  });
  afterAll(() => started?.[Symbol.asyncDispose]());

  test('are limited for each address, and shut out who might be guessing, not who cannot', async () => {
    const { key } = await started.keys.make({ scopes: ['query'] });
    const gateway = await started.start({ AUTH_FAILURES_PER_MINUTE: '5', TRUST_PROXY: 'loopback' });
    const from = (address: string) => ({ 'x-forwarded-for': address });
    for (let n = 0; n < 5; n += 1)
      expect((await ask(gateway, `wrong-${n}`, from('192.0.2.1'))).status).toBe(401);
    const refused = await ask(gateway, 'wrong-again', from('192.0.2.1'));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await problemOf(refused)).code).toBe('rate_limited');
    expect((await ask(gateway, bootstrap, from('192.0.2.1'))).status).toBe(429);
    expect((await ask(gateway, key, from('192.0.2.1'))).status).toBe(200);
    expect((await ask(gateway, bootstrap, from('192.0.2.2'))).status).toBe(200);
    // Who sends none is asked for one, as a browser has to be.
    const none = await fetch(`${gateway.url}/v1/collections`, { headers: from('192.0.2.1') });
    expect(none.status).toBe(401);
  });

  test('come from where the connection comes from, whatever a header says, where no proxy is trusted', async () => {
    const gateway = await started.start({ AUTH_FAILURES_PER_MINUTE: '5' });
    const answers: number[] = [];
    for (let n = 0; n < 7; n += 1)
      answers.push((await ask(gateway, 'wrong', { 'x-forwarded-for': `192.0.2.${n}` })).status);
    expect(answers).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
  ['2001:DB8::1:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
  ['2001:db8::2:0:0:0:1', '2001:db8:0:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['unknown', 'unknown'],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
