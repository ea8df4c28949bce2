import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, variables } from '@sluice/config';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { DCLinter } from 'dclint';
import { describe, expect, test } from 'vitest';
import { composeVariables, fixedByCompose, unusedInCompose } from '../compose-variables.ts';
import {
  bytes,
  compose,
  environmentOf,
  interpolate,
  monitoring,
  monitoringSource,
  REQUIRED,
  redisSettings,
  referencedVariables,
  source,
} from './compose-file.ts';
import { postgresSettings } from './postgres-file.ts';
import { ROOT } from './repository.ts';

const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.build);
const oneShot = 'migrate';
// The catalog listens for changes.
const LISTENERS = 1;

function seconds(duration: string | undefined): number {
  return Number(/^(\d+)s$/u.exec(duration ?? '')?.[1]);
}

function connectionsOf(service: string): number {
  const { pool } = loadConfig({ HOST: '127.0.0.1', ...environmentOf(service) });
  return pool.size + pool.maxOverflow + LISTENERS;
}

describe('docker-compose.yml', () => {
  test('fits the schema of the Compose Specification', () => {
    const folder = join(import.meta.resolve('dclint/package.json').replace('file://', ''), '..');
    const schema = JSON.parse(readFileSync(join(folder, 'schemas/compose.schema.json'), 'utf8'));
    // The schema names its own draft by a URL that ajv knows under another protocol.
    const { $schema: _, ...rules } = schema;
    const ajv = new Ajv({ strict: false, allErrors: true });
    formats.default(ajv);
    ajv.addFormat('duration', /^(\d+(us|ms|s|m|h))+$/u);
    const validate = ajv.compile(rules);
    for (const file of [compose, monitoring]) {
      validate(file);
      expect(validate.errors).toBeNull();
    }
    expect(validate({ services: { gateway: { imaeg: 'typo' } } })).toBe(false);
  });

  test('has nothing that the compose linter warns about', () => {
    const level = 2;
    const rules = {
      'no-duplicate-container-names': level,
      'no-duplicate-exported-ports': level,
      'no-version-field': level,
      'require-project-name-field': level,
      'require-quotes-in-ports': [level, { quoteType: 'double' }],
      'service-image-require-explicit-tag': level,
    };
    const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
    const results: { messages: { rule: string; message: string }[] }[] = linter.lintFiles(
      [join(ROOT, 'docker-compose.yml')],
      false,
    );
    const found = results.flatMap((result) => result.messages).filter(({ rule }) => rule in rules);
    expect(found).toEqual([]);
  });

  test.each(services)('pins the image of %s to an exact version', (_, service) => {
    const image = interpolate(service.image, REQUIRED);
    expect(image).toMatch(/^[\w./-]+:\d+\.\d+\.\d+(-[\w.]+)*$/u);
  });

  test.each(services)(
    'bounds the memory of %s and says when it restarts and whether it is healthy',
    (name, service) => {
      expect(bytes(service.deploy.resources.limits.memory)).toBeGreaterThan(0);
      expect(service.restart).toBe(name === oneShot ? 'no' : 'unless-stopped');
      if (name === oneShot) expect(service.healthcheck).toEqual({ disable: true });
      else expect(service.healthcheck?.test?.[0]).toMatch(/^CMD/u);
    },
  );

  test('lets gateway and workers wait for the migration and for healthy services', () => {
    for (const name of ['gateway', 'worker']) {
      expect(compose.services[name]?.depends_on).toEqual({
        migrate: { condition: 'service_completed_successfully' },
        postgres: { condition: 'service_healthy' },
        'redis-queue': { condition: 'service_healthy' },
        'redis-cache': { condition: 'service_healthy' },
      });
    }
  });

  test('can run any number of workers', () => {
    const worker = compose.services.worker;
    expect(worker?.ports).toBeUndefined();
    expect(worker?.container_name).toBeUndefined();
    expect(Number(interpolate(worker?.deploy.replicas ?? '', REQUIRED))).toBeGreaterThanOrEqual(2);
  });

  test('opens one port, on localhost, and keeps databases off every other network', () => {
    const published = services.filter(([, service]) => service.ports);
    expect(published.map(([name]) => name)).toEqual(['gateway']);
    const port = interpolate(compose.services.gateway?.ports?.[0] ?? '', REQUIRED);
    expect(port).toBe(`127.0.0.1:3000:${environmentOf('gateway').PORT}`);
    expect(compose.networks.data).toEqual({ internal: true });
    for (const name of ['postgres', 'redis-queue', 'redis-cache']) {
      expect(compose.services[name]?.networks).toEqual(['data']);
    }
  });

  test.each(Object.keys(REQUIRED))('refuses to start without %s', (name) => {
    expect(() => interpolate(source, { ...REQUIRED, [name]: '' })).toThrow(`${name}: set it in .env`);
  });

  test.each(ours)('gives %s only variables that it knows, with values that it accepts', (name, service) => {
    for (const variable of Object.keys(service.environment ?? {})) expect(variables).toHaveProperty(variable);
    const config = loadConfig(environmentOf(name));
    expect(config.mode).toBe('services');
    expect(config.databaseUrl).toBe('postgres://sluice:a1b2c3d4e5f6@postgres:5432/sluice');
    expect(config.queue).toEqual({ kind: 'redis', url: 'redis://redis-queue:6379' });
    expect(config.cacheRedisUrl).toBe('redis://redis-cache:6379');
  });

  test('lets every variable of the configuration through to a service, or says which ones it does not', () => {
    const referenced = referencedVariables();
    const missing = Object.keys(variables).filter((name) => !referenced.includes(name));
    expect(missing.sort()).toEqual([...fixedByCompose, ...unusedInCompose].sort());
    const set = new Set(ours.flatMap(([, service]) => Object.keys(service.environment ?? {})));
    expect([...set].sort()).toEqual(
      Object.keys(variables)
        .filter((name) => !unusedInCompose.includes(name))
        .sort(),
    );
  });

  test('reads no other variable than those of the configuration and its own documented ones', () => {
    const both = `${source}${monitoringSource}`;
    const own = [...referencedVariables(both), 'PROMETHEUS_API_KEY'].filter((name) => !(name in variables));
    expect(own.sort()).toEqual(Object.keys(composeVariables).sort());
    for (const [name, { default: fallback }] of Object.entries(composeVariables)) {
      if (name === 'PROMETHEUS_API_KEY') expect(both).toContain(`environment: ${name}\n`);
      else expect(both).toContain(fallback === undefined ? `\${${name}:?` : `\${${name}:-${fallback}}`);
    }
  });

  test('says how many connections each process uses at most, and starts with more than they ask for', () => {
    const limit = Number(postgresSettings().get('max_connections'));
    expect(source).toContain(`(${limit} in deploy/postgres.conf)`);
    expect(source).toContain(`= ${connectionsOf('gateway')}\n`);
    expect(source).toContain(`= ${connectionsOf('worker')} each\n`);
    const workers = Number(composeVariables.WORKER_REPLICAS?.default);
    expect(connectionsOf('gateway') + workers * connectionsOf('worker')).toBeLessThan(limit);
  });

  test('has memory for what the settings allow', () => {
    const postgres = compose.services.postgres;
    const settings = postgresSettings();
    const maintenance = bytes(settings.get('maintenance_work_mem') ?? '');
    expect(bytes(postgres?.shm_size ?? '')).toBeGreaterThanOrEqual(maintenance);
    const limit = bytes(postgres?.deploy.resources.limits.memory ?? '');
    expect(limit).toBeGreaterThan(bytes(settings.get('shared_buffers') ?? '') + maintenance);
    const { extraction } = loadConfig(environmentOf('worker'));
    const worker = bytes(compose.services.worker?.deploy.resources.limits.memory ?? '');
    expect(worker).toBeGreaterThanOrEqual(2 * extraction.threads * extraction.memoryMb * 2 ** 20);
    for (const name of ['redis-queue', 'redis-cache']) {
      const redis = bytes(compose.services[name]?.deploy.resources.limits.memory ?? '');
      expect(redis).toBeGreaterThan(1.4 * bytes(redisSettings(name).maxmemory ?? ''));
    }
  });

  test('waits longer for a stopping service than the service waits for its work', () => {
    for (const [name, service] of ours) {
      const { shutdownTimeoutMs } = loadConfig(environmentOf(name));
      expect(seconds(service.stop_grace_period) * 1_000).toBeGreaterThan(shutdownTimeoutMs);
      expect(service.init).toBe(true);
    }
  });

  test('mounts the tuned settings and keeps the data where the image of Postgres 18 puts it', () => {
    const { volumes, command } = compose.services.postgres ?? {};
    expect(volumes).toContain('./deploy/postgres.conf:/etc/postgresql/postgresql.conf:ro');
    expect(command).toContain('config_file=/etc/postgresql/postgresql.conf');
    expect(volumes).toContain('postgres-data:/var/lib/postgresql');
  });
});
