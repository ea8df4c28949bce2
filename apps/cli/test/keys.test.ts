import { join } from 'node:path';
import type { ApiKeyBody, MadeApiKeyBody } from '@sluice/contract';
import { migrateQueue } from '@sluice/queue';
import { createTestDatabase, describeWithServices, type TestDatabase } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from './support/folder.ts';
import { type Process, runSluice, startSluice } from './support/sluice.ts';
import { until } from './support/until.ts';
import { startUp } from './support/up.ts';

const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

async function stop({ child, ended }: Process): Promise<void> {
  child.kill('SIGTERM');
  await ended;
}

describeWithServices('postgres', 'sluice keys', () => {
  let database: TestDatabase;
  let environment: Record<string, string>;
  beforeAll(async () => {
    database = await createTestDatabase();
    await migrateQueue({ kind: 'postgres', connectionString: database.url });
    environment = { DATABASE_URL: database.url };
  });
  afterAll(() => database?.[Symbol.asyncDispose]());

  const keys = (...args: string[]) => runSluice(['keys', ...args], environment);
  async function json<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await keys(...args, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as T;
  }

  it.each([
    ['no scope', ['create', 'x'], "required option '--scope"],
    ['a scope that is none', ['create', 'x', '--scope', 'root'], 'Expected one of ingest, query'],
    ['a time without a unit', ['create', 'x', '--scope', 'query', '--expires', '90'], 'Expected a time like'],
    [
      'collections for a key that sees them all',
      ['create', 'x', '--scope', 'admin', '-c', 'law'],
      'expected none with the scopes monitor and admin',
    ],
  ])('refuses %s before it asks the database', async (_, args, message) => {
    const { code, stderr } = await runSluice(['keys', ...args], { DATABASE_URL: 'postgres://127.0.0.1:1/x' });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it('makes, lists, rotates and revokes keys without a gateway, and prints a key alone on stdout', async () => {
    const made = await keys(
      'create',
      'law team',
      '--scope',
      'ingest',
      '--scope',
      'query',
      '-c',
      'law',
      '--expires',
      '90d',
    );
    expect(made.code).toBe(0);
    const [, id] = /^slu_([0-9A-Za-z]{12})_[0-9A-Za-z]{43}\n$/.exec(made.stdout) ?? [];
    expect(made.stderr).toContain(`Key ${id}: ingest, query for law, expires 20`);
    expect(made.stderr).toContain('make one that may');
    const { keys: listed } = await json<{ keys: ApiKeyBody[] }>('list');
    expect(listed).toMatchObject([
      { id, name: 'law team', scopes: ['ingest', 'query'], collections: ['law'], created_by: 'command line' },
    ]);
    expect((await keys('list')).stdout).toContain(`${id}  law team  ingest,query  law`);

    const rotated = await json<MadeApiKeyBody>('rotate', id as string, '--grace', '1h');
    expect(rotated.id).toBe(id);
    expect(Date.parse(rotated.previous_until as string)).toBeGreaterThan(Date.now());
    await keys('revoke', id as string);
    expect((await json<{ keys: ApiKeyBody[] }>('list')).keys).toEqual([]);
    expect((await json<{ keys: ApiKeyBody[] }>('list', '--all')).keys).toMatchObject([
      { id, state: 'revoked' },
    ]);
    const again = await keys('rotate', id as string);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain(`no key that can be used has the id ${id}`);
  });

  it('works through a gateway with --url, and needs a key with the scope admin there', async () => {
    const admin = await json<MadeApiKeyBody>('create', 'operator', '--scope', 'admin');
    const gateway = startSluice(['gateway'], { ...environment, PORT: '0' });
    try {
      const url = await until('the gateway listens', () => /"url":"([^"]+)"/.exec(gateway.stdout())?.[1]);
      const through = (key: string, ...args: string[]) =>
        runSluice(['keys', ...args, '--url', url, '--key', key, '--json']);
      const made = JSON.parse(
        (await through(admin.key, 'create', 'reader', '--scope', 'query')).stdout,
      ) as MadeApiKeyBody;
      expect(made.created_by).toBe(admin.id);
      expect((await fetch(`${url}/v1/collections`, bearer(made.key))).status).toBe(200);
      const refused = await through(made.key, 'list');
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('has not the scope "admin"');
      await through(admin.key, 'revoke', made.id);
      expect((await fetch(`${url}/v1/collections`, bearer(made.key))).status).toBe(401);
      // Neither key is in the log.
      for (const { key } of [admin, made]) expect(gateway.stdout()).not.toContain(key.slice(17));
    } finally {
      await stop(gateway);
    }
  });
});

describe('sluice keys beside a Sluice with an embedded Postgres', () => {
  it('says how to get through to it, and works that way without a key as long as there is none', async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    const early = await runSluice(['keys', 'list'], { SLUICE_DATA_DIR: dataDir });
    expect(early.code).toBe(1);
    expect(early.stderr).toContain('sluice migrate');
    await using up = await startUp(dataDir);
    const beside = await runSluice(['keys', 'list'], { SLUICE_DATA_DIR: dataDir });
    expect(beside.code).toBe(1);
    expect(beside.stderr).toContain('--url');
    const keys = (...args: string[]) => runSluice(['keys', ...args], { SLUICE_URL: up.url });
    const made = await keys('create', 'first', '--scope', 'query', '--json');
    expect((JSON.parse(made.stdout) as MadeApiKeyBody).created_by).toBe('this machine');
    const refused = await keys('list');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('send an API key');
  });

  it('says which database does not answer in vain', async () => {
    const ended = await runSluice(['keys', 'list'], {
      DATABASE_URL: 'postgres://me:secret-word@127.0.0.1:1/sluice',
      DB_POOL_TIMEOUT: '2',
    });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('the database does not answer');
    expect(ended.stderr).not.toContain('secret-word');
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });
});

describeWithServices('postgres', 'the first start of gateways that others can reach', () => {
  it('makes one key for everything, shows it once and not in the log, and lets in nobody without one', async () => {
    await using database = await createTestDatabase();
    await migrateQueue({ kind: 'postgres', connectionString: database.url });
    const environment = { DATABASE_URL: database.url, HOST: '0.0.0.0', PORT: '0' };
    const gateways = Array.from({ length: 3 }, () => startSluice(['gateway'], environment));
    const shown = () => gateways.flatMap((one) => [...one.stderr().matchAll(/slu_\w+/g)].map(([key]) => key));
    try {
      await until('a key is shown', () => shown().length > 0);
      const urls = await Promise.all(
        gateways.map((one) =>
          until('it listens', () =>
            /"url":"([^"]+)"/.exec(one.stdout())?.[1]?.replace('0.0.0.0', '127.0.0.1'),
          ),
        ),
      );
      await until('all are ready', async () =>
        (await Promise.all(urls.map((url) => fetch(`${url}/readyz`)))).every(({ ok }) => ok),
      );
      const [key] = shown() as [string];
      for (const url of urls) {
        expect((await fetch(`${url}/v1/collections`)).status).toBe(401);
        expect((await fetch(`${url}/v1/keys`, bearer(key))).status).toBe(200);
      }
    } finally {
      await Promise.all(gateways.map(stop));
    }
    expect(shown()).toHaveLength(1);
    for (const one of gateways) expect(one.stdout()).not.toContain('slu_');

    const second = startSluice(['gateway'], environment);
    await until('it listens', () => second.stdout().includes('gateway listens'));
    await stop(second);
    expect(second.stderr()).not.toContain('slu_');
  });
});
