import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../src/index.ts';

function problemsOf(environment: Record<string, string>): string {
  try {
    loadConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return '';
}

test('an empty environment is the embedded mode with its defaults', () => {
  const config = loadConfig({});
  expect(config.mode).toBe('embedded');
  expect(config.http).toMatchObject({ host: '127.0.0.1', port: 3000, maxUploadBytes: 104_857_600 });
});

test('the services that are set decide the mode', () => {
  const DATABASE_URL = 'postgres://u:p@db/sluice';
  expect(loadConfig({ DATABASE_URL }).mode).toBe('postgres-only');
  const services = loadConfig({ DATABASE_URL, REDIS_URL: 'redis://queue' });
  expect(services.mode).toBe('services');
  expect(services.cacheRedisUrl).toBe('redis://queue');
  expect(services.pool).toMatchObject({
    size: 20,
    maxOverflow: 30,
    acquireTimeoutMs: 30_000,
    recycleMs: 3_600_000,
  });
});

test('an error names the variable, the value and what was expected, for all of them at once', () => {
  const message = problemsOf({ PORT: '70000', LOG_LEVEL: 'loud' });
  expect(message).toContain('PORT="70000": expected a whole number from 0 to 65535');
  expect(message).toContain('LOG_LEVEL="loud": expected trace, debug');
});

test('the value of a secret is not in the error', () => {
  const message = problemsOf({ DATABASE_URL: 'mysql://root:hunter2@db' });
  expect(message).toContain('DATABASE_URL=(hidden): expected a URL that starts with postgres://');
  expect(message).not.toContain('hunter2');
});

test('keys are long, and it is known who can reach the gateway', () => {
  for (const HOST of ['127.0.0.1', '127.8.8.8', '::1', 'localhost'])
    expect(loadConfig({ HOST }).http.local).toBe(true);
  for (const HOST of ['0.0.0.0', '::', '192.168.0.7', '127.0.0.1.example.org', 'gateway'])
    expect(loadConfig({ HOST }).http.local).toBe(false);
  expect(problemsOf({ HOST: '0.0.0.0', SLUICE_API_KEYS: 'short' })).toContain('at least 16 characters');
  expect(
    loadConfig({ HOST: '0.0.0.0', SLUICE_API_KEYS: 'a-key-that-is-long, another-long-key-here' }).http
      .apiKeys,
  ).toHaveLength(2);
});

test('it is known who can reach a worker, and whether it listens at all', () => {
  expect(loadConfig({}).worker).toMatchObject({ port: undefined, local: true });
  const { worker } = loadConfig({ WORKER_HOST: '0.0.0.0', WORKER_PORT: '3001' });
  expect(worker).toMatchObject({ host: '0.0.0.0', port: 3001, local: false, stuckMs: 600_000 });
});

test('the OpenAI provider needs a key, and Redis needs a Postgres', () => {
  expect(problemsOf({ EMBEDDING_PROVIDER: 'openai' })).toContain('OPENAI_API_KEY');
  expect(problemsOf({ REDIS_URL: 'redis://x' })).toContain('DATABASE_URL');
});

test('the ONNX provider needs a folder, a model and its dimensions', () => {
  const onnx = { EMBEDDING_PROVIDER: 'onnx', EMBEDDING_ONNX_MODELS_DIR: '/models' };
  const problems = problemsOf({ EMBEDDING_PROVIDER: 'onnx' });
  for (const name of ['EMBEDDING_ONNX_MODELS_DIR', 'EMBEDDING_MODEL', 'EMBEDDING_DIMENSIONS']) {
    expect(problems).toContain(`${name}=(not set): expected`);
  }
  expect(problemsOf({ ...onnx, EMBEDDING_MODEL: 'e5' })).not.toContain('EMBEDDING_MODEL=');
  expect(
    loadConfig({
      ...onnx,
      EMBEDDING_MODEL: 'e5',
      EMBEDDING_DIMENSIONS: '384',
      EMBEDDING_ONNX_THREADS: '2',
    }).embedding,
  ).toMatchObject({ provider: 'onnx', model: 'e5', onnx: { directory: '/models', threads: 2 } });
  expect(loadConfig({}).embedding.onnx).toBeUndefined();
});

test('an empty variable counts as not set', () => {
  expect(loadConfig({ PORT: '', DATABASE_URL: '' }).http.port).toBe(3000);
});

test('several database hosts are taken with Redis, and refused where the queue lives in Postgres', () => {
  const DATABASE_URL = 'postgres://u:p@one:5432,two:5433/sluice?target_session_attrs=read-write';
  expect(loadConfig({ DATABASE_URL, REDIS_URL: 'redis://queue' }).databaseUrl).toBe(DATABASE_URL);
  expect(problemsOf({ DATABASE_URL })).toContain('DATABASE_URL=(hidden): expected one host');
  expect(problemsOf({ DATABASE_URL: 'postgres://u:p@one:99999,two/x', REDIS_URL: 'redis://q' })).toContain(
    'DATABASE_URL',
  );
});

test('the budget lives in Redis where there is one, else in Postgres, and needs nothing when embedded', () => {
  const DATABASE_URL = 'postgres://u:p@db/sluice';
  expect(loadConfig({}).budget.driver).toBe('none');
  expect(loadConfig({ DATABASE_URL }).budget.driver).toBe('postgres');
  expect(loadConfig({ DATABASE_URL, REDIS_URL: 'redis://queue' }).budget.driver).toBe('redis');
  expect(loadConfig({ DATABASE_URL, DB_BUDGET: 'none' }).budget.driver).toBe('none');
  expect(problemsOf({ DATABASE_URL, DB_BUDGET: 'redis' })).toContain('REDIS_URL');
  const message = problemsOf({ DATABASE_URL, DB_BUDGET: 'static' });
  expect(message).toContain('DB_BUDGET_MEMBERS');
  expect(message).toContain('DB_BUDGET_LIMIT');
});

test('standbys to read from are a list of URLs that never appears in an error', () => {
  const DATABASE_URL = 'postgres://u:p@db/sluice';
  const DATABASE_READ_URLS = 'postgres://u:p@one/sluice, postgres://u:p@two/sluice';
  expect(loadConfig({ DATABASE_URL, DATABASE_READ_URLS }).reads.urls).toHaveLength(2);
  expect(problemsOf({ DATABASE_URL, DATABASE_READ_URLS: 'mysql://root:hunter2@db' })).not.toContain(
    'hunter2',
  );
});

test('hosts that documents may be fetched from are read with port and addresses', () => {
  const hostsOf = (text: string) => loadConfig({ UPLOAD_URL_HOSTS: text }).http.uploadUrl.hosts;
  expect(hostsOf('')).toEqual([]);
  expect(
    hostsOf('public, Example.org:8443, *.wiki.test, files.internal:9000=10.1.0.0/16+fd00::/8, [::1]:80=::1'),
  ).toEqual([
    { host: '*', port: undefined, ranges: [] },
    { host: 'example.org', port: 8_443, ranges: [] },
    { host: '*.wiki.test', port: undefined, ranges: [] },
    { host: 'files.internal', port: 9_000, ranges: ['10.1.0.0/16', 'fd00::/8'] },
    { host: '[::1]', port: 80, ranges: ['::1'] },
  ]);
});

test.each([
  '*',
  'https://example.org',
  'example.org/path',
  'example.org:0',
  'example.org:70000',
  'example.org=10.0.0.0/33',
  'example.org=fd00::/129',
  'example.org=private',
  'user@example.org',
  'a..b',
])('a host that is none is refused: %s', (given) => {
  expect(problemsOf({ UPLOAD_URL_HOSTS: given })).toContain(
    `UPLOAD_URL_HOSTS="${given}": expected a comma-separated list`,
  );
});

test('webhooks need a secret of the right form, and it is not in the error', () => {
  const WEBHOOK_SECRET = `whsec_${'A'.repeat(43)}=`;
  expect(problemsOf({ WEBHOOK_URL: 'https://example.org/hook' })).toContain('WEBHOOK_SECRET');
  expect(problemsOf({ WEBHOOK_HOSTS: 'public' })).toContain('WEBHOOK_SECRET');
  const message = problemsOf({ WEBHOOK_HOSTS: 'public', WEBHOOK_SECRET: 'hunter2' });
  expect(message).toContain('WEBHOOK_SECRET=(hidden): expected whsec_');
  expect(message).not.toContain('hunter2');
  expect(loadConfig({ WEBHOOK_HOSTS: 'public', WEBHOOK_SECRET }).webhooks.secret).toBe(WEBHOOK_SECRET);
});

test('proxies that are trusted are addresses, ranges, or a number of them', () => {
  const trusted = (TRUST_PROXY: string) => loadConfig({ TRUST_PROXY }).http.trustProxy;
  expect(trusted('')).toBe(false);
  expect(trusted('0')).toBe(false);
  expect(trusted('2')).toBe(2);
  expect(trusted('loopback, 10.0.0.0/8,2001:db8::/32')).toEqual(['loopback', '10.0.0.0/8', '2001:db8::/32']);
  for (const TRUST_PROXY of ['true', 'proxy.internal', '10.0.0.0/33', '1,2'])
    expect(problemsOf({ TRUST_PROXY })).toContain('TRUST_PROXY=');
});

test('origins of pages are exact', () => {
  const origins = 'https://app.example.org, http://localhost:5173';
  expect(loadConfig({ CORS_ORIGINS: origins }).http.corsOrigins).toHaveLength(2);
  for (const CORS_ORIGINS of ['*', 'app.example.org', 'https://app.example.org/', 'https://a.org/x', 'null'])
    expect(problemsOf({ CORS_ORIGINS })).toContain('CORS_ORIGINS=');
});
