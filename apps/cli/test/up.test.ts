import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import type { AnswerBody, UploadBody } from '@sluice/contract';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './support/folder.ts';
import { runSluice, startSluice } from './support/sluice.ts';
import { isAlive, until } from './support/until.ts';
import { leftOver, loggedPid, startUp } from './support/up.ts';

const text = 'A bid security of two percent must accompany every tender and stays valid for ninety days.';

function jsonLine<T>(output: string): T {
  return JSON.parse(output.trim()) as T;
}

/** So that a log collector can read it. */
function expectJsonLines(stdout: string): void {
  const lines = stdout.trim().split('\n');
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty('msg');
}

describe('sluice up without services', { timeout: 90_000 }, () => {
  it('serves, takes a document, finds it, leaves nothing running, and has it still after a stop and a kill -9', async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    const file = join(folder.path, 'security.txt');
    await writeFile(file, text);

    const first = await startUp(dataDir);
    const uploaded = await runSluice(['upload', file, '--json', '--metadata', '{"language":"en"}'], {
      SLUICE_URL: first.url,
    });
    expect(uploaded).toMatchObject({ code: 0, stderr: '' });
    const { outcome, upload } = jsonLine<{ outcome: string; upload: UploadBody }>(uploaded.stdout);
    expect(outcome).toBe('ready');
    expect(upload).toMatchObject({ state: 'ready', name: 'security.txt', metadata: { language: 'en' } });

    const found = await runSluice(['query', 'how long is the bid security valid', '--url', first.url]);
    expect(found.code).toBe(0);
    expect(found.stdout).toContain('security.txt');
    expect(found.stdout).toContain('bid security of two percent');
    expect(found.stdout).toContain('1 hit in collection default');

    expect(leftOver(first.pids)).toHaveLength(3);
    // One to a whole process group arrives by itself, and passed on by whoever has started it.
    first.process.child.kill('SIGINT');
    first.process.child.kill('SIGTERM');
    expect(await first.process.ended).toMatchObject({ code: 0 });
    expect(first.process.stderr()).toContain('Stopped.');
    expect(leftOver(first.pids)).toEqual([]);

    async function findAgain(url: string): Promise<void> {
      const again = await runSluice(['query', 'bid security', '--json', '--url', url]);
      expect(jsonLine<AnswerBody>(again.stdout).results.map((hit) => hit.document.name)).toEqual([
        'security.txt',
      ]);
    }

    const second = await startUp(dataDir);
    await findAgain(second.url);
    expect((await fetch(`${second.url}/docs`)).status).toBe(200);
    second.process.child.kill('SIGKILL');
    await until('all have ended', () => leftOver(second.pids).length === 0, 15_000);

    await using third = await startUp(dataDir);
    await findAgain(third.url);
    expectJsonLines(third.process.stdout());
  });

  it('keeps its data folder to itself, starts what died again at the same address, and gives up when Postgres dies', async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    await using up = await startUp(dataDir, { SHUTDOWN_TIMEOUT_SECONDS: '5' });

    const another = await runSluice(['up'], { PORT: '0', SLUICE_DATA_DIR: dataDir });
    expect(another.code).toBe(1);
    expect(another.stderr).toContain(`is in use by process ${up.pids.postgres}`);
    expect(another.stderr).toContain('SLUICE_DATA_DIR');
    expect(another.stderr).not.toMatch(/\n\s+at /);
    expect((await fetch(`${up.url}/readyz`)).status).toBe(200);
    // The processors go to the gateway first.
    expect(getPriority(up.pids.worker)).toBe(Math.max(10, getPriority()));
    expect(getPriority(up.pids.gateway)).toBe(getPriority());

    for (const name of ['worker', 'gateway'] as const) {
      process.kill(up.pids[name], 'SIGKILL');
      await until(`the ${name} is back`, () => {
        const pid = loggedPid(up.process.stdout(), name);
        return pid !== undefined && pid !== up.pids[name] && isAlive(pid);
      });
      expect(up.process.stderr()).toContain(`The ${name} ended unexpectedly (SIGKILL); starting it again`);
    }
    const response = await until('it answers', () => fetch(`${up.url}/readyz`).catch(() => undefined));
    expect(response.status).toBe(200);

    const pids = {
      ...up.pids,
      worker: loggedPid(up.process.stdout(), 'worker') as number,
      gateway: loggedPid(up.process.stdout(), 'gateway') as number,
    };
    process.kill(pids.postgres, 'SIGKILL');
    const ended = await up.process.ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('the embedded Postgres ended unexpectedly');
    expect(leftOver(pids)).toEqual([]);
  });

  it('stops at once, and with it everything else, when told to in the middle of its start', async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    const up = startSluice(['up'], { PORT: '0', SLUICE_DATA_DIR: dataDir });
    const owner = await until('Postgres starts', async () => {
      const content = await readFile(join(dataDir, 'owner.json'), 'utf8').catch(() => '');
      return content === '' ? undefined : (JSON.parse(content) as { pid: number });
    });
    up.child.kill('SIGINT');
    expect((await up.ended).code).toBe(0);
    expect(isAlive(owner.pid)).toBe(false);
    expect(up.stderr()).not.toContain('sluice:');
  });
});

async function listensAt(port: number): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  server.close();
  return listens;
}

/** The first of two, below those that Linux gives to outgoing connections. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if ((await listensAt(port)) && (await listensAt(port + 1))) return port;
  }
}

describe('sluice up with several workers', { timeout: 90_000 }, () => {
  it('gives each the next port, where it says that it is ready', async () => {
    await using folder = await temporaryFolder();
    const first = await twoFreePorts();
    const dataDir = join(folder.path, 'data');
    await using _ = await startUp(dataDir, { WORKER_PORT: String(first) }, ['--workers', '2']);
    for (const port of [first, first + 1]) {
      const ready = await until(`the worker at ${port} is ready`, async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
        return answer?.ok ? ((await answer.json()) as { ready: boolean }) : undefined;
      });
      expect(ready).toMatchObject({ ready: true });
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    }
  });
});

describe('sluice up that cannot start', { timeout: 60_000 }, () => {
  it('names a taken port and what to set instead, and leaves nothing running', async () => {
    await using folder = await temporaryFolder();
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as AddressInfo;
    const dataDir = join(folder.path, 'data');
    const ended = await runSluice(['up'], { PORT: String(port), SLUICE_DATA_DIR: dataDir });
    other.close();
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(`port ${port} is already taken`);
    expect(ended.stderr).toContain('Set PORT to another one');
    expect(ended.stderr).not.toMatch(/\n\s+at /);
    const worker = loggedPid(ended.stdout, 'worker');
    expect(worker === undefined || !isAlive(worker)).toBe(true);
    await expect(readFile(join(dataDir, 'owner.json'))).rejects.toThrow('ENOENT');
  });

  it('says that the data folder cannot be written to', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'a-file');
    await writeFile(file, '');
    const ended = await runSluice(['up'], { PORT: '0', SLUICE_DATA_DIR: join(file, 'data') });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(`cannot write to the data folder ${join(file, 'data')}`);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });

  it('names the variable that does not fit, with its value and what was expected', async () => {
    const ended = await runSluice(['up'], { PORT: 'many' });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('PORT="many": expected a whole number from 0 to 65535');
  });

  it('says which Postgres does not answer, without the password', async () => {
    const ended = await runSluice(['up'], {
      PORT: '0',
      DATABASE_URL: 'postgresql://me:secret-word@127.0.0.1:1/sluice',
      DB_POOL_TIMEOUT: '2',
    });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('cannot reach Postgres at 127.0.0.1:1/sluice');
    expect(ended.stderr + ended.stdout).not.toContain('secret-word');
  });
});
