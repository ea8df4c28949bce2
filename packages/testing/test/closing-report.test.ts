import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWithServices } from '../src/index.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-report-'));
  await symlink(here('../../../node_modules'), join(folder, 'node_modules'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs scripts/test.ts over the given files, as `npm test` does. */
async function runTests(files: Record<string, string>, env: Record<string, string> = {}) {
  const config = `export default { test: { globalSetup: '@sluice/testing/setup' } };`;
  const all = { 'vitest.config.ts': config, ...files };
  for (const [name, source] of Object.entries(all)) await writeFile(join(folder, name), source);
  const args = [here('../../../scripts/test.ts'), '--root', folder];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, CI: '', SLUICE_TEST_SERVICES: 'none', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  const [status] = await once(child, 'close');
  return { status, output, lastLine: output.trimEnd().split('\n').at(-1) };
}

const NEEDS_POSTGRES = `
  import { describeWithServices } from '@sluice/testing';
  import { expect, test } from 'vitest';
  describeWithServices('postgres', 'the store', () => { test('stores', () => expect(1).toBe(2)); });
  test('adds', () => expect(1 + 1).toBe(2));`;

test('a run ends with its counts alone on the last line', async () => {
  const { status, lastLine } = await runTests({
    'fine.test.ts': `import { test } from 'vitest'; test('one', () => {}); test('two', () => {});`,
  });
  expect({ status, lastLine }).toEqual({ status: 0, lastLine: '2 passed, 0 failed, 0 skipped' });
});

test('a file that cannot be loaded counts as a failure beside failed and skipped tests', async () => {
  const { status, lastLine } = await runTests({
    'mixed.test.ts': `import { expect, test } from 'vitest';
      test('passes', () => {}); test('fails', () => expect(1).toBe(2)); test.skip('rests', () => {});`,
    'broken.test.ts': `import './not-there.ts';`,
  });
  expect({ status, lastLine }).toEqual({ status: 1, lastLine: '1 passed, 2 failed, 1 skipped' });
});

test('an error outside of all tests fails the run', async () => {
  const { status, lastLine } = await runTests({
    'stray.test.ts': `import { test } from 'vitest';
      test('passes', async () => { setTimeout(() => { throw new Error('stray'); }, 1); await new Promise((r) => setTimeout(r, 200)); });`,
  });
  expect({ status, lastLine }).toEqual({ status: 1, lastLine: '1 passed, 1 failed, 0 skipped' });
});

test('suites that did not run are listed with the reason, and the rest passes', async () => {
  const { status, output, lastLine } = await runTests({ 'needy.test.ts': NEEDS_POSTGRES });
  expect({ status, lastLine }).toEqual({ status: 0, lastLine: '1 passed, 0 failed, 1 skipped' });
  expect(output).toMatch(
    /WARNING: 1 suite\(s\) did not run:\n.*the store \(did not run: no postgres; SLUICE_TEST_SERVICES=none\)/,
  );
});

test('in CI a suite that cannot run is a failure', async () => {
  const { status, lastLine } = await runTests({ 'needy.test.ts': NEEDS_POSTGRES }, { CI: 'true' });
  expect({ status, lastLine }).toEqual({ status: 1, lastLine: '1 passed, 1 failed, 0 skipped' });
});

describeWithServices(['postgres', 'redis'], 'several projects in one run', () => {
  test('share the services that the first one starts', async () => {
    const noteServices = `import { appendFileSync } from 'node:fs';
      import { testServices } from '@sluice/testing';
      import { test } from 'vitest';
      test('notes', () => appendFileSync('seen.txt', JSON.stringify(testServices()) + '\\n'));`;
    const project = (name: string) =>
      `{ test: { name: '${name}', include: ['${name}.test.ts'], globalSetup: '@sluice/testing/setup' } }`;
    const { lastLine } = await runTests(
      {
        'vitest.config.ts': `export default { test: { projects: [${project('one')}, ${project('two')}] } };`,
        'one.test.ts': noteServices,
        'two.test.ts': noteServices,
      },
      { SLUICE_TEST_SERVICES: '' },
    );
    expect(lastLine).toBe('2 passed, 0 failed, 0 skipped');
    const [one, two] = (await readFile(join(folder, 'seen.txt'), 'utf8')).trim().split('\n');
    expect(one).toContain('postgres://');
    expect(two).toBe(one);
  });
});
