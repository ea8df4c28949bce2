import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadConfig } from '@sluice/config';
import { createPool } from '@sluice/pool';
import { migrate } from '@sluice/store';
import { describeWithServices, startPostgres, startRedis } from '@sluice/testing';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { bytes, compose, redisSettings } from './compose-file.ts';
import { postgresSettings } from './postgres-file.ts';
import { ROOT, read } from './repository.ts';

const run = promisify(execFile);
const configFile = join(ROOT, 'deploy/postgres.conf');

function poolAt(url: string) {
  return createPool({ connectionString: url, size: 1, maxOverflow: 1 });
}

function checkHealth(service: string, env: Record<string, string>) {
  return run(process.execPath, [join(ROOT, 'deploy/check-health.ts'), service], { env });
}

/** Runs deploy/postgres-init.sql as psql would, whose own commands the server does not know. */
async function runInitFile(url: string, password: string): Promise<string> {
  const [before = '', after = ''] = read('deploy/postgres-init.sql').split('\\connect sluice\n');
  const sluice = new URL(url);
  sluice.pathname = '/sluice';
  for (const [address, part] of [
    [url, before],
    [sluice.href, after],
  ] as const) {
    await using pool = poolAt(address);
    const sql = part.replace(/^(--|\\getenv).*$/gmu, '').replaceAll(":'password'", `'${password}'`);
    for (const statement of sql.split(';\n').filter((text) => text.trim())) await pool.query(statement);
  }
  sluice.username = 'sluice';
  sluice.password = password;
  return sluice.href;
}

describeWithServices('processes', 'the Postgres of the compose file', () => {
  test('accepts every setting of postgres.conf and runs with it', async () => {
    // What the test server has to have its own way.
    const overridden = ['listen_addresses', 'port', 'unix_socket_directories'];
    await using postgres = await startPostgres({ configFile });
    await using pool = poolAt(postgres.url);
    const { rows: problems } = await pool.query(
      'select name, setting, error from pg_file_settings where error is not null and not applied and name <> all ($1)',
      [overridden],
    );
    expect(problems).toEqual([]);
    const { rows: applied } = await pool.query<{ name: string; value: string }>(
      `select name, current_setting(name) as value from pg_file_settings
       where applied and sourcefile like '%/given.conf' and name <> all ($1)`,
      [overridden],
    );
    const wanted = [...postgresSettings()].filter(([name]) => !overridden.includes(name));
    expect(Object.fromEntries(applied.map(({ name, value }) => [name, value]))).toEqual(
      Object.fromEntries(wanted),
    );
    const { rows } = await pool.query<{ server_version: string }>('show server_version');
    expect(rows[0]?.server_version).toMatch(/^18/u);
  });

  test('cuts no upload that may still be running', () => {
    const { http } = loadConfig({});
    const [, minutes] =
      /^(\d+)min$/u.exec(postgresSettings().get('idle_in_transaction_session_timeout') ?? '') ?? [];
    expect(Number(minutes) * 60_000).toBeGreaterThan(http.uploadTimeoutMs);
  });

  test('gives the service a role that is no superuser and can migrate, and the superuser no password', async () => {
    await using postgres = await startPostgres({ configFile });
    const url = await runInitFile(postgres.url, 'a1b2c3d4e5f6');
    await using pool = poolAt(url);
    expect((await migrate(pool)).length).toBeGreaterThan(0);
    const { rows } = await pool.query(
      'select rolname, rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user',
    );
    expect(rows).toEqual([{ rolname: 'sluice', rolsuper: false, rolcreaterole: false, rolcreatedb: false }]);
    await using admin = poolAt(postgres.url);
    const { rows: passwords } = await admin.query(
      `select rolname, rolpassword is not null as has_password from pg_authid where rolname in ('postgres', 'sluice') order by 1`,
    );
    expect(passwords).toEqual([
      { rolname: 'postgres', has_password: false },
      { rolname: 'sluice', has_password: true },
    ]);
  });
});

// Little memory, to fill it fast; the many empty databases of a test server would take most of it.
const small = { maxmemory: '8mb', databases: 16 };

describeWithServices('processes', 'the two Redis servers of the compose file', () => {
  test('the queue refuses writes when it is full, and keeps what it has', async () => {
    const settings = { ...redisSettings('redis-queue'), ...small };
    await using server = await startRedis({ settings });
    const redis = new Redis(server.url);
    const value = 'x'.repeat(10_000);
    let stored = 0;
    const fill = async () => {
      for (; stored < 2_000; stored += 1) await redis.set(`job:${stored}`, value);
    };
    await expect(fill()).rejects.toThrow(/OOM/u);
    expect(stored).toBeGreaterThan(100);
    expect(await redis.dbsize()).toBe(stored);
    expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
    redis.disconnect();
  });

  test('the cache makes room for new entries and writes nothing to disk', async () => {
    const settings = { ...redisSettings('redis-cache'), ...small };
    await using server = await startRedis({ settings });
    const redis = new Redis(server.url);
    const value = 'x'.repeat(10_000);
    for (let stored = 0; stored < 2_000; stored += 1) await redis.set(`answer:${stored}`, value);
    expect(await redis.dbsize()).toBeLessThan(2_000);
    expect(await redis.dbsize()).toBeGreaterThan(100);
    expect(await redis.get('answer:1999')).toBe(value);
    expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'no']);
    expect(await redis.config('GET', 'save')).toEqual(['save', '']);
    redis.disconnect();
  });

  test.each(['redis-queue', 'redis-cache'])('%s takes its command line as it is', async (name) => {
    expect(compose.services[name]?.command[0]).toBe('redis-server');
    const settings = redisSettings(name);
    await using server = await startRedis({ settings });
    const redis = new Redis(server.url);
    for (const [setting, value] of Object.entries(settings)) {
      const expected = setting === 'maxmemory' ? String(bytes(value)) : value;
      expect(await redis.config('GET', setting)).toEqual([setting, expected]);
    }
    redis.disconnect();
  });
});

/** A server whose answers to paths are set as the test goes on. */
async function startAnswering(answers: Record<string, [number, string]>) {
  const server = createServer((request, response) => {
    const [status, body] = answers[request.url ?? ''] ?? [404, ''];
    response.writeHead(status).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { port: String(port), [Symbol.asyncDispose]: async () => void server.close() };
}

describe('the health check of a container', () => {
  test('follows /readyz of the gateway and shows what it says', async () => {
    const answers: Record<string, [number, string]> = { '/readyz': [200, '{}'] };
    let env: Record<string, string>;
    {
      await using gateway = await startAnswering(answers);
      env = { PORT: gateway.port };
      await checkHealth('gateway', env);
      answers['/readyz'] = [503, '{"checks":{"postgres":{"ok":false}}}'];
      await expect(checkHealth('gateway', env)).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('answered 503: {"checks":{"postgres":{"ok":false}}}'),
      });
    }
    await expect(checkHealth('gateway', env)).rejects.toMatchObject({ code: 1 });
  });

  test('of a worker fails when its jobs do not get on, and when it cannot reach what it needs', async () => {
    const answers: Record<string, [number, string]> = { '/healthz': [200, '{}'], '/readyz': [200, '{}'] };
    await using worker = await startAnswering(answers);
    const env = { WORKER_PORT: worker.port };
    await checkHealth('worker', env);
    answers['/healthz'] = [503, '{"status":"stuck"}'];
    await expect(checkHealth('worker', env)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/healthz answered 503: {"status":"stuck"}'),
    });
    answers['/healthz'] = [200, '{}'];
    answers['/readyz'] = [503, '{"ready":false}'];
    await expect(checkHealth('worker', env)).rejects.toMatchObject({ code: 1 });
  });
});
