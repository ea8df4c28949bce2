import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnswerBody, UploadBody } from '@sluice/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Folder, temporaryFolder } from './support/folder.ts';
import { runSluice } from './support/sluice.ts';
import { startUp, type Up } from './support/up.ts';

interface Line {
  file: string;
  outcome: string;
  upload?: UploadBody;
  error?: { code: string; detail: string };
}

const linesOf = (output: string) =>
  output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('sluice upload and query against a real server', { timeout: 60_000 }, () => {
  let folder: Folder;
  let up: Up;

  beforeAll(async () => {
    folder = await temporaryFolder();
    up = await startUp(join(folder.path, 'data'), { UPLOAD_MAX_BYTES: '2000000' });
  }, 60_000);
  afterAll(async () => {
    await up[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const run = (args: string[], input?: string) => runSluice(args, { SLUICE_URL: up.url }, input);
  async function write(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(folder.path, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
    return path;
  }

  it('tells the files that became ready from one that failed, and ends with 1', async () => {
    const good = await write('mixed/good.md', '# Deadlines\n\nTenders close at noon.');
    const bad = await write('mixed/bad.pdf', '%PDF-1.7 and then nothing that a reader could use');
    const { code, stdout, stderr } = await run(['upload', good, bad]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ready +\S+good\.md {2}1 chunk {2}\S+$/m);
    expect(stdout).toMatch(/^failed +\S+bad\.pdf$/m);
    expect(stderr).toContain('The same file will fail again: change it first.');
    expect(stderr).toContain('2 files:');
  });

  it('shows what the server refuses with what to do about it', async () => {
    const path = await write('plain.txt', 'Some text.');
    const { code, stderr } = await run(['upload', path, '--collection', 'nowhere']);
    expect(code).toBe(1);
    expect(stderr).toContain('no collection is named "nowhere"');
    expect(stderr).toContain('[collection_not_found]');
    expect(stderr).toContain(`Create it: curl ${up.url}/v1/collections`);
    expect(stderr).toContain('Request id: ');
  });

  it('hears of a file over the limit what the limit is, although the server hangs up', async () => {
    const path = await write('large.txt', 'word '.repeat(4_000_000));
    const { code, stdout } = await run(['upload', path, '--json']);
    expect(linesOf(stdout)[0]).toMatchObject({ outcome: 'refused', error: { code: 'file_too_large' } });
    expect(code).toBe(1);
  });

  it('names documents of a folder by their path, leaves hidden files out, and takes folders only when told to', async () => {
    const tree = join(folder.path, 'tree');
    await write('tree/a.txt', 'The first article.');
    await write('tree/deep/b.txt', 'The second article.');
    await write('tree/.hidden/c.txt', 'Not for others.');
    const refused = await run(['upload', tree]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('is a folder');
    const { code, stdout } = await run(['upload', '--recursive', tree, '--json']);
    expect(code).toBe(0);
    expect(
      linesOf(stdout)
        .map((line) => line.upload?.name)
        .sort(),
    ).toEqual(['a.txt', 'deep/b.txt']);
  });

  it('reads a document from the standard input under the name given', async () => {
    const input = 'Hồ sơ mời thầu phải được phát hành đúng hạn.';
    const args = [
      'upload',
      '-',
      '--name',
      'thau.txt',
      '--external-id',
      'vi-1',
      '--metadata',
      '{"language":"vi"}',
    ];
    expect(await run(args, input)).toMatchObject({ code: 0, stderr: '' });
    const found = await run(['query', 'ho so moi thau', '--filter', '{"language":"vi"}', '--json']);
    const [hit] = (JSON.parse(found.stdout) as AnswerBody).results;
    expect(hit?.document).toMatchObject({ name: 'thau.txt', external_id: 'vi-1' });
  });

  it('does not wait for the worker when told not to', async () => {
    const path = await write('later.txt', 'To be searched later.');
    const { code, stdout } = await run(['upload', path, '--no-wait', '--json']);
    expect(code).toBe(0);
    expect(linesOf(stdout)[0]?.outcome).toBe('accepted');
  });

  it('uploads two hundred files and reports each once', async () => {
    const many = join(folder.path, 'many');
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => write(`many/${n}.txt`, `Article ${n} of the regulation.`)),
    );
    const { code, stdout } = await run(['upload', '-r', many, '--json', '--concurrency', '16']);
    const lines = linesOf(stdout);
    expect(code).toBe(0);
    expect(new Set(lines.map((line) => line.file)).size).toBe(200);
    expect(new Set(lines.map((line) => line.outcome))).toEqual(new Set(['ready']));
  });

  it('says that nothing was found without calling it a failure', async () => {
    const { code, stdout } = await run(['query', 'anything', '--filter', '{"language":"none"}']);
    expect(code).toBe(0);
    expect(stdout).toContain('0 hits in collection default');
  });
});
