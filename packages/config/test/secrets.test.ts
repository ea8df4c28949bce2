import { expect, test } from 'vitest';
import { loadConfig } from '../src/index.ts';

const secretsOf = (environment: Record<string, string>) => loadConfig(environment).log.secrets;

test('what must not be seen of a URL is its password, as it stands there and as it is meant', () => {
  const { length } = secretsOf({ DATABASE_URL: 'postgres://sluice@db/sluice' });
  expect(length).toBe(0);
  expect(secretsOf({ DATABASE_URL: 'postgres://sluice:hunter%2F2@db1,db2:5433/sluice' })).toEqual([
    'hunter%2F2',
    'hunter/2',
  ]);
});

test('of everything else it is the whole value, of each part of a list', () => {
  const environment = {
    SLUICE_API_KEYS: 'a-key-of-sixteen-characters, another-key-of-sixteen-and-more',
    OPENAI_API_KEY: 'sk-something',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20token,x-tenant=somebody',
  };
  expect([...secretsOf(environment)].sort()).toEqual([
    'Bearer token',
    'a-key-of-sixteen-characters',
    'another-key-of-sixteen-and-more',
    'sk-something',
    'somebody',
  ]);
});

test('no secret that is so short that it would be cut out of ordinary words', () => {
  expect(secretsOf({ DATABASE_URL: 'postgres://sluice:job@db/sluice' })).toEqual([]);
});
