import { variables } from '@sluice/config';
import {
  createTestDatabase,
  createTestRedis,
  describeWithServices,
  startEmbeddingsServer,
} from '@sluice/testing';
import { expect, test } from 'vitest';
import { form } from './support/client.ts';
import { type LoggedProcess, startLogged } from './support/logged-process.ts';
import { type Environment, untilReady } from './support/running-service.ts';

// Base64, as it has to be.
const webhookSecret = 'whsec_s3cr3twebhooksecret01234567890123456789ab';

/** One that would be recognised anywhere. */
const secretOf = (name: string) =>
  name === 'WEBHOOK_SECRET' ? webhookSecret : `s3cr3t-${name.toLowerCase().replaceAll('_', '-')}-0123456789`;

/** The URL with the variable's secret as its password; the servers of the tests ask for none. */
function withPassword(url: string, name: string): string {
  const given = new URL(url);
  if (!given.username) given.username = 'default';
  given.password = secretOf(name);
  return given.href;
}

const nowhere = 'http://127.0.0.1:1';

function secretEnvironment(databaseUrl: string, redisUrl: string, providerUrl: string): Environment {
  return {
    SLUICE_API_KEYS: `${secretOf('SLUICE_API_KEYS')},${secretOf('SLUICE_API_KEYS')}-2`,
    DATABASE_URL: withPassword(databaseUrl, 'DATABASE_URL'),
    DATABASE_READ_URLS: `postgres://reader:${secretOf('DATABASE_READ_URLS')}@127.0.0.1:1/nowhere`,
    REDIS_URL: withPassword(redisUrl, 'REDIS_URL'),
    CACHE_REDIS_URL: `redis://default:${secretOf('CACHE_REDIS_URL')}@127.0.0.1:1`,
    WEBHOOK_URL: `${nowhere}/hook?token=${secretOf('WEBHOOK_URL')}`,
    WEBHOOK_SECRET: secretOf('WEBHOOK_SECRET'),
    OPENAI_API_KEY: secretOf('OPENAI_API_KEY'),
    RERANK_API_KEY: secretOf('RERANK_API_KEY'),
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${secretOf('OTEL_EXPORTER_OTLP_HEADERS')}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: nowhere,
    RERANK_URL: `${nowhere}/rerank`,
    EMBEDDING_PROVIDER: 'openai',
    EMBEDDING_MODEL: 'fake',
    EMBEDDING_DIMENSIONS: '64',
    OPENAI_BASE_URL: providerUrl,
    LOG_LEVEL: 'trace',
    SLOW_QUERY_MS: '1',
    DB_BUDGET: 'none',
    PORT: '0',
    WORKER_PORT: '0',
    RECONCILE_SECONDS: '1',
    SHUTDOWN_TIMEOUT_SECONDS: '3',
  };
}

const key = secretOf('SLUICE_API_KEYS');

async function provoke(url: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}` };
  const json = { ...headers, 'content-type': 'application/json' };
  const post = (path: string, body: string, extra = json) =>
    fetch(`${url}${path}`, { method: 'POST', headers: extra, body });
  await fetch(`${url}/v1/uploads`, {
    method: 'POST',
    headers,
    body: form({ 'a.txt': 'One.', 'b.pdf': '%PDF-' }),
  });
  await post('/v1/query', JSON.stringify({ query: 'one', rerank: true }));
  await post('/v1/query', JSON.stringify({ query: 'one', mode: 'text' }));
  await post('/v1/query', '{"query": ');
  await post('/v1/query', '{}', { ...json, authorization: `Bearer ${key}-wrong` });
  await fetch(`${url}/v1/uploads?cursor=x`, { headers: { authorization: `Basic ${btoa(`user:${key}`)}` } });
  await fetch(`${url}/metrics`, { headers: { ...headers, cookie: `key=${key}` } });
}

describeWithServices(['postgres', 'redis'], 'logs of processes whose every secret is known', () => {
  test('have none of them, at whatever level and whatever goes wrong', { timeout: 180_000 }, async () => {
    await using database = await createTestDatabase();
    await using redis = await createTestRedis();
    await using provider = await startEmbeddingsServer({ dimensions: 64 });
    // It refuses every key, and quotes it.
    const message = `no such key: ${secretOf('OPENAI_API_KEY')}`;
    provider.failWhen(() => ({ kind: 'status', status: 400, message }));
    const environment = secretEnvironment(database.url, redis.url, provider.baseUrl);
    const secret = Object.entries(variables).filter(([, variable]) => variable.secret);
    for (const [name] of secret) expect(JSON.stringify(environment), name).toContain(secretOf(name));

    const processes: LoggedProcess[] = [];
    {
      await using worker = await startLogged('worker', environment);
      await using gateway = await startLogged('gateway', environment);
      processes.push(worker, gateway);
      await untilReady(gateway.started.url);
      await provoke(gateway.started.url);
      const ended = () => worker.lines().filter(({ msg }) => msg === 'job failed').length;
      await expect.poll(ended, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
    }
    {
      // Nothing of what they need is there.
      const away = {
        ...environment,
        DATABASE_URL: `postgres://user:${secretOf('DATABASE_URL')}@127.0.0.1:1/nowhere`,
        REDIS_URL: `redis://default:${secretOf('REDIS_URL')}@127.0.0.1:1`,
      };
      await using gateway = await startLogged('gateway', away);
      processes.push(gateway);
      await provoke(gateway.started.url);
      await expect.poll(() => gateway.output(), { timeout: 10_000 }).toContain('ECONNREFUSED');
    }
    const output = processes.map((each) => each.output()).join('\n');
    expect(output).toContain('no such key: ');
    expect(output).toContain('slow statement');
    for (const line of output.split('\n')) expect(line).not.toContain('s3cr3t');
  });
});
