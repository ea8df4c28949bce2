import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startAnswering } from './support/answering-server.ts';
import { temporaryFolder } from './support/folder.ts';
import { runSluice } from './support/sluice.ts';

// Nothing listens there: the port is reserved, and not by us.
const nobody = 'http://127.0.0.1:1';

describe('exit codes', () => {
  it.each([
    ['no command that is known', ['uplaod', 'file'], 'upload'],
    ['no file', ['upload'], 'missing required argument'],
    ['a file that is not there', ['upload', '/nowhere/file.txt'], 'there is no file /nowhere/file.txt'],
    ['metadata that is not JSON', ['upload', 'x', '--metadata', '{language}'], 'Expected a JSON object'],
    ['metadata that is not an object', ['upload', 'x', '--metadata', '[1]'], 'Expected a JSON object like'],
    ['k out of its range', ['query', 'words', '--k', '201'], 'Expected a whole number from 1 to 200'],
    ['an address that is none', ['query', 'words', '--url', 'localhost'], 'Expected an address like'],
    ['standard input without a name', ['upload', '-'], '- (standard input) needs a name'],
    ['no workers', ['up', '--workers', '0'], 'Expected a whole number from 1 to 64'],
  ])('are 2 for wrong usage: %s', async (_, args, message) => {
    const { code, stdout, stderr } = await runSluice(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('are 3 when nobody listens at the address, and the rest of the files is not tried', async () => {
    await using folder = await temporaryFolder();
    const files = ['a.txt', 'b.txt', 'c.txt'].map((name) => join(folder.path, name));
    for (const file of files) await writeFile(file, 'text');
    const uploaded = await runSluice(['upload', ...files, '--url', nobody, '--concurrency', '1', '--json']);
    expect(uploaded.code).toBe(3);
    const outcomes = uploaded.stdout.trim().split('\n');
    expect(outcomes.map((line) => (JSON.parse(line) as { outcome: string }).outcome)).toEqual([
      'unreachable',
      'skipped',
      'skipped',
    ]);
    const asked = await runSluice(['query', 'words', '--url', nobody]);
    expect(asked.code).toBe(3);
    expect(asked.stderr).toContain(`no answer from ${nobody}`);
    expect(asked.stderr).toContain('npm start');
  });

  it('are 1 when another program answers at the address', async () => {
    await using server = await startAnswering((_, response) => response.end('<h1>It works!</h1>'));
    const { code, stderr } = await runSluice(['query', 'words', '--url', server.url]);
    expect(code).toBe(1);
    expect(stderr).toContain('did not answer like Sluice does');
  });

  it('are 0 for help and version, which go to stdout', async () => {
    for (const args of [['--help'], ['upload', '--help'], ['help', 'query'], ['--version']]) {
      const { code, stdout, stderr } = await runSluice(args);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      expect(stdout.length).toBeGreaterThan(4);
    }
  });
});
