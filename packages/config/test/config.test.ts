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

test('listening beyond localhost needs keys', () => {
  expect(problemsOf({ HOST: '0.0.0.0' })).toContain('SLUICE_API_KEYS');
  expect(problemsOf({ HOST: '0.0.0.0', SLUICE_API_KEYS: 'short' })).toContain('at least 16 characters');
  expect(
    loadConfig({ HOST: '0.0.0.0', SLUICE_API_KEYS: 'a-key-that-is-long, another-long-key-here' }).http
      .apiKeys,
  ).toHaveLength(2);
});

test('the OpenAI provider needs a key, and Redis needs a Postgres', () => {
  expect(problemsOf({ EMBEDDING_PROVIDER: 'openai' })).toContain('OPENAI_API_KEY');
  expect(problemsOf({ REDIS_URL: 'redis://x' })).toContain('DATABASE_URL');
});

test('an empty variable counts as not set', () => {
  expect(loadConfig({ PORT: '', DATABASE_URL: '' }).http.port).toBe(3000);
});
