import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const logger = new URL('../src/index.ts', import.meta.url).href;

async function log(statement: string): Promise<string> {
  const code = `import { createLogger } from '${logger}';
    const log = createLogger({ name: 'test', level: 'debug', format: 'json' }); ${statement}`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module-typescript',
    '-e',
    code,
  ]);
  return stdout;
}

test('a line is JSON with the name of the process', async () => {
  expect(JSON.parse(await log(`log.info({ upload_id: 'u1' }, 'accepted')`))).toMatchObject({
    name: 'test',
    upload_id: 'u1',
    msg: 'accepted',
  });
});

test('secrets do not reach the log, by name or inside a URL', async () => {
  const output = await log(
    `log.info({ req: { headers: { authorization: 'Bearer hunter2' } }, apiKey: 'hunter2' }, 'x');
     log.error(new Error('cannot reach postgres://sluice:hunter2@db/x'));`,
  );
  expect(output).toContain('(hidden)');
  expect(output).toContain('postgres://sluice:(hidden)@db/x');
  expect(output).not.toContain('hunter2');
});
