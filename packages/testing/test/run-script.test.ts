import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const RUN_SCRIPT = fileURLToPath(new URL('../../../scripts/run.mjs', import.meta.url));

let root: string;

// A workspace that installs for real, by npm, but needs no network: its dependencies are folders of its own.
async function writeManifests(names: readonly string[]): Promise<void> {
  const dependencies = Object.fromEntries(names.map((name) => [name, `file:vendor/${name}`]));
  const manifest = { name: 'fixture', version: '1.0.0', dependencies };
  const packages: Record<string, unknown> = { '': manifest };
  for (const name of names) {
    await mkdir(join(root, 'vendor', name), { recursive: true });
    await writeFile(join(root, 'vendor', name, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
    packages[`node_modules/${name}`] = { resolved: `vendor/${name}`, link: true };
    packages[`vendor/${name}`] = { name, version: '1.0.0' };
  }
  const lock = { name: 'fixture', version: '1.0.0', lockfileVersion: 3, requires: true, packages };
  await writeFile(join(root, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(root, 'package-lock.json'), JSON.stringify(lock));
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-run-'));
  await mkdir(join(root, 'scripts'));
  await copyFile(RUN_SCRIPT, join(root, 'scripts/run.mjs'));
  await writeManifests(['node']);
  await mkdir(join(root, 'vendor/node/bin'));
  await symlink(process.execPath, join(root, 'vendor/node/bin/node'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves once stdout has `text` in it. */
  printed(text: string): Promise<void>;
}

function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [join(root, 'scripts/run.mjs'), ...args], {
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return {
    child,
    ended: once(child, 'close').then(([status, signal]) => ({ status, signal, stdout, stderr })),
    async printed(text) {
      while (!stdout.includes(text)) await once(child.stdout, 'data');
    },
  };
}

function run(...args: string[]): Promise<Ended> {
  return start(args).ended;
}

async function script(source: string): Promise<string> {
  await writeFile(join(root, 'main.ts'), source);
  return 'main.ts';
}

describe('installing', () => {
  test('happens once, and the script gets its arguments and gives its exit code', async () => {
    const main = await script('console.log(process.argv.slice(2).join()); process.exitCode = 7;');
    const first = await run(main, 'a', 'b');
    expect(first).toMatchObject({ status: 7, stdout: 'a,b\n' });
    expect(first.stderr).toContain('Installing the dependencies (first run)');
    const second = await run(main, 'c');
    expect(second).toMatchObject({ status: 7, stdout: 'c\n', stderr: '' });
  });

  test('is left out after a plain npm install', async () => {
    await once(spawn('npm', ['install'], { cwd: root, stdio: 'ignore' }), 'close');
    expect(await run(await script(''))).toMatchObject({ status: 0, stderr: '' });
  });

  test('happens again when the lock file has changed', async () => {
    const main = await script('');
    await run(main);
    await writeManifests(['node', 'another']);
    expect((await run(main)).stderr).toContain('package-lock.json has changed');
    expect((await run(main)).stderr).toBe('');
  });

  test('is done by one of two that start at once; the other waits', async () => {
    const main = await script('console.log("ran")');
    const both = await Promise.all([run(main), run(main)]);
    expect(both.map((each) => each.stdout)).toEqual(['ran\n', 'ran\n']);
    expect(both.filter((each) => each.stderr.includes('Installing the dependencies'))).toHaveLength(1);
  });

  test('that fails says so and does not run the script', async () => {
    const dependencies = { node: 'file:vendor/node', 'not-in-any-cache': '1.0.0' };
    await writeFile(
      join(root, 'package.json'),
      JSON.stringify({ name: 'fixture', version: '1.0.0', dependencies }),
    );
    const offline = { npm_config_registry: 'http://127.0.0.1:9', npm_config_fetch_retries: '0' };
    const { status, stdout, stderr } = await start([await script('console.log("ran")')], offline).ended;
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/ECONNREFUSED.*npm ended with status \d+/s);
  });

  test('without the pinned Node names the setting that kept it away', async () => {
    await rm(join(root, 'vendor/node/bin'), { recursive: true });
    const { status, stderr } = await run(await script(''));
    expect(status).toBe(1);
    expect(stderr).toContain('ignore-scripts');
  });

  test('leaves the lock file as it is', async () => {
    const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
    await run(await script(''));
    expect(await readFile(join(root, 'package-lock.json'), 'utf8')).toBe(lock);
  });

  test('is refused over dependencies from another platform, with what to do', async () => {
    const main = await script('');
    await run(main);
    const stamp = join(root, 'node_modules/.sluice-install');
    await writeFile(stamp, (await readFile(stamp, 'utf8')).replace(/^\S+/, 'plan9-mips'));
    const { status, stderr } = await run(main);
    expect(status).toBe(1);
    expect(stderr).toMatch(/installed on plan9-mips.*rm -rf node_modules/s);
  });

  test('is asked for when the pinned Node cannot be run', async () => {
    const main = await script('');
    await run(main);
    await rm(join(root, 'vendor/node/bin/node'));
    await writeFile(join(root, 'vendor/node/bin/node'), 'not a program');
    const { status, stderr } = await run(main);
    expect(status).toBe(1);
    expect(stderr).toMatch(/cannot be run.*another machine/s);
  });
});

describe('signals', () => {
  const COUNTING = `
    let count = 0;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {
      count += 1;
      setTimeout(() => { console.log(name + ' ' + count); process.exit(5); }, 900);
    });
    setInterval(() => {}, 1000);
    console.log('up');`;

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s reaches the script, which may take its time',
    async (name) => {
      const running = start([await script(COUNTING)]);
      await running.printed('up');
      running.child.kill(name);
      expect(await running.ended).toMatchObject({ status: 5, signal: null, stdout: `up\n${name} 1\n` });
    },
  );

  test('that npm sends once more is passed on once', async () => {
    const running = start([await script(COUNTING)]);
    await running.printed('up');
    running.child.kill('SIGINT');
    await new Promise((wake) => setTimeout(wake, 50));
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ status: 5, stdout: 'up\nSIGINT 1\n' });
  });

  test('that the user sends again later is passed on again', async () => {
    const running = start([await script(COUNTING)]);
    await running.printed('up');
    running.child.kill('SIGINT');
    await new Promise((wake) => setTimeout(wake, 450));
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ stdout: 'up\nSIGINT 2\n' });
  });

  test('from a terminal reaches the script once, though the terminal sends it to all', async () => {
    const main = await script(COUNTING);
    await run(await script(''));
    await script(COUNTING);
    // Without `exec` some shells stay in between, get the Ctrl-C too and end with 130 whatever the script says.
    const command = `exec ${process.execPath} ${join(root, 'scripts/run.mjs')} ${main}`;
    const terminal = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null']);
    let output = '';
    terminal.stdout.on('data', (data) => {
      output += data;
      if (/up\r?\n$/.test(output)) terminal.stdin.write('\x03');
    });
    const [status] = await once(terminal, 'close');
    expect(output).toMatch(/SIGINT 1\r?\n/);
    expect(status).toBe(5);
  });

  test('that ends the script ends the runner in the same way', async () => {
    const ended = await run(
      await script("process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);"),
    );
    expect(ended).toMatchObject({ status: null, signal: 'SIGKILL' });
  });
});
