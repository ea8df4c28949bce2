import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createPool } from '@sluice/pool';
import { describe, expect, test, vi } from 'vitest';
import { EmbeddedError, startEmbeddedPostgres } from '../src/index.ts';
import { createFolder } from './support/folder.ts';

async function run(url: string, sql: string) {
  await using pool = createPool({ connectionString: url, size: 1, maxOverflow: 0, sharedSession: true });
  return (await pool.query(sql)).rows;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const socketOf = (url: string) => new URL(url).searchParams.get('host') as string;

describe('an embedded Postgres', () => {
  test('keeps its data over a stop and a start, and leaves no socket behind', async () => {
    await using folder = await createFolder();
    const first = await startEmbeddedPostgres({ dataDir: folder.path });
    await run(first.url, "create table kept as select 1 as id, '[1,2]'::vector as v");
    await first.stop();
    await first.stop();
    expect(isRunning(first.pid)).toBe(false);
    expect(existsSync(socketOf(first.url))).toBe(false);
    await using second = await startEmbeddedPostgres({ dataDir: folder.path });
    expect(await run(second.url, 'select id, v::text from kept')).toEqual([{ id: 1, v: '[1,2]' }]);
  });

  test('keeps what it confirmed when its process is killed, and says that it ended', async () => {
    await using folder = await createFolder();
    const first = await startEmbeddedPostgres({ dataDir: folder.path });
    await run(first.url, 'create table confirmed (id int)');
    await run(first.url, 'insert into confirmed select generate_series(1, 500)');
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    await using second = await startEmbeddedPostgres({ dataDir: folder.path });
    expect(await run(second.url, 'select count(*) as n from confirmed')).toEqual([{ n: 500 }]);
  });

  test('refuses a folder that another one uses, and names its process', async () => {
    await using folder = await createFolder();
    await using owner = await startEmbeddedPostgres({ dataDir: folder.path });
    const second = startEmbeddedPostgres({ dataDir: folder.path });
    await expect(second).rejects.toBeInstanceOf(EmbeddedError);
    await expect(second).rejects.toMatchObject({
      code: 'data_folder_in_use',
      message: expect.stringContaining(`${folder.path} is in use by process ${owner.pid}`),
    });
    expect(await run(owner.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('takes a folder whose owner is gone, also when its process id went to somebody else', async () => {
    await using folder = await createFolder();
    const stale = { pid: process.pid, socketPath: join(folder.path, 'nobody-listens-here') };
    await writeFile(join(folder.path, 'owner.json'), JSON.stringify(stale));
    await using postgres = await startEmbeddedPostgres({ dataDir: folder.path });
    expect(await run(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('refuses a folder that it cannot write to', async () => {
    await using folder = await createFolder();
    const file = join(folder.path, 'file');
    await writeFile(file, '');
    for (const dataDir of [join(file, 'data'), file]) {
      await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
        name: 'EmbeddedError',
        code: 'data_folder_not_writable',
        message: expect.stringContaining(dataDir),
      });
    }
  });

  test('refuses files that are no database, and gives the folder free again', async () => {
    await using folder = await createFolder();
    await mkdir(join(folder.path, 'postgres'));
    await writeFile(join(folder.path, 'postgres', 'PG_VERSION'), 'nonsense');
    await expect(startEmbeddedPostgres({ dataDir: folder.path })).rejects.toMatchObject({
      code: 'data_folder_damaged',
      message: expect.stringContaining('Move the folder away'),
    });
    expect(existsSync(join(folder.path, 'owner.json'))).toBe(false);
  });

  test('ends when the process that started it is killed', async () => {
    await using folder = await createFolder();
    const index = new URL('../src/index.ts', import.meta.url).href;
    const script = `
      import { startEmbeddedPostgres } from '${index}';
      const { pid, url } = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(folder.path)} });
      console.log(JSON.stringify({ pid, url }));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(parent.stdout), 'line');
    const { pid, url } = JSON.parse(line) as { pid: number; url: string };
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(
      () => {
        expect(isRunning(pid)).toBe(false);
        expect(existsSync(socketOf(url))).toBe(false);
      },
      { timeout: 10_000, interval: 100 },
    );
  });

  test('does not end by a signal that its whole group gets: its parent decides', async () => {
    await using folder = await createFolder();
    await using postgres = await startEmbeddedPostgres({ dataDir: folder.path });
    process.kill(postgres.pid, 'SIGINT');
    process.kill(postgres.pid, 'SIGTERM');
    expect(await run(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});
