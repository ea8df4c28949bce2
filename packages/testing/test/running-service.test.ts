import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createPool } from '@sluice/pool';
import { expect, test, vi } from 'vitest';
import { describeWithServices, startPgBouncer, startPostgres, startRedis } from '../src/index.ts';

async function ask(url: string, sql: string): Promise<unknown> {
  await using pool = createPool({ connectionString: url, size: 1, maxOverflow: 0 });
  const { rows } = await pool.query(sql);
  return Object.values(rows[0] ?? {})[0];
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

describeWithServices('processes', 'a server of the test’s own', () => {
  test('keeps what it confirmed when it is killed, and comes back at the same port as another process', async () => {
    await using postgres = await startPostgres();
    const { pid, url } = postgres;
    await ask(url, 'create table survives (id int)');
    await ask(url, 'insert into survives select generate_series(1, 1000)');
    await postgres.kill();
    expect(isAlive(pid)).toBe(false);
    await expect(ask(url, 'select 1')).rejects.toMatchObject({ code: 'connect_failed' });
    await postgres.start();
    expect(postgres.pid).not.toBe(pid);
    expect(await ask(url, 'select count(*)::int from survives')).toBe(1000);
  });

  test('names the process that a test can kill by itself', async () => {
    await using postgres = await startPostgres();
    process.kill(postgres.pid, 'SIGKILL');
    await vi.waitFor(() => expect(isAlive(postgres.pid)).toBe(false));
    await postgres.start();
    expect(await ask(postgres.url, 'select 1')).toBe(1);
  });

  test('restarts with its data and its settings', async () => {
    await using postgres = await startPostgres({ settings: { max_connections: 17 } });
    await ask(postgres.url, 'create table kept (id int)');
    await postgres.restart();
    expect(await ask(postgres.url, "select to_regclass('kept')::text")).toBe('kept');
    expect(await ask(postgres.url, 'show max_connections')).toBe('17');
  });

  test('starts with a configuration file as it is, and refuses a broken one with the reason', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-conf-'));
    const configFile = join(folder, 'postgresql.conf');
    await writeFile(configFile, 'work_mem = 7MB\n');
    await using postgres = await startPostgres({ configFile });
    expect(await ask(postgres.url, 'show work_mem')).toBe('7MB');
    expect(await ask(postgres.url, 'show fsync')).toBe('on');
    await writeFile(configFile, 'work_memory = 7MB\n');
    await expect(startPostgres({ configFile })).rejects.toMatchObject({
      code: 'SERVICE_DID_NOT_START',
      message: expect.stringContaining('work_memory'),
    });
    await rm(folder, { recursive: true });
  });

  test('can stand behind a PgBouncer', async () => {
    await using postgres = await startPostgres();
    await using bouncer = await startPgBouncer({ upstream: postgres.url });
    expect(bouncer.port).not.toBe(postgres.port);
    expect(await ask(bouncer.url, 'select inet_server_port()')).toBe(postgres.port);
  });

  test('is gone, with its data, after disposal', async () => {
    const redis = await startRedis();
    const { pid } = redis;
    expect(isAlive(pid)).toBe(true);
    await redis[Symbol.asyncDispose]();
    expect(isAlive(pid)).toBe(false);
  });

  test('does not outlive a process that is killed with SIGKILL, nor does its data', async () => {
    const findHost = new URL('../src/find-host.ts', import.meta.url).href;
    const scratch = new URL('../src/scratch-folder.ts', import.meta.url).href;
    const script = `
      import { startPostgres, startRedis } from '${findHost}';
      import { createScratchFolder } from '${scratch}';
      const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
      console.log(JSON.stringify({ pids: [postgres.pid, redis.pid], folder: await createScratchFolder('probe') }));
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(owner.stdout), 'line');
    const { pids, folder } = JSON.parse(line) as { pids: number[]; folder: string };
    expect(pids.map(isAlive)).toEqual([true, true]);
    owner.kill('SIGKILL');
    await vi.waitFor(
      () => {
        expect(pids.map(isAlive)).toEqual([false, false]);
        expect(existsSync(folder)).toBe(false);
      },
      { timeout: 10_000 },
    );
  });
});
