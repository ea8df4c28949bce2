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
     log.error(new Error('cannot reach postgres://sluice:hunter2@db/x'));
     log.warn('somebody has sent slu_4fTzP0aBcD3e_' + 'hunter2'.padEnd(43, 'x') + ' in a URL');
     log.info({ made: { id: '4fTzP0aBcD3e', key: 'hunter2' } }, 'x');`,
  );
  expect(output).toContain('slu_4fTzP0aBcD3e_(hidden) in a URL');
  expect(output).toContain('(hidden)');
  expect(output).toContain('postgres://sluice:(hidden)@db/x');
  expect(output).not.toContain('hunter2');
});

test('a secret that is known does not reach the log, whoever quotes it', async () => {
  const output = await log(
    `const careful = createLogger({ name: 'x', level: 'debug', format: 'json', secrets: ['sk-hunter2', 'sk-hunter2-long', 'with"quote'] });
     careful.warn({ err: new Error('Incorrect API key: sk-hunter2-long') }, 'sk-hunter2 with"quote');`,
  );
  expect(output).not.toMatch(/hunter2|quote|-long/);
  expect(JSON.parse(output).msg).toBe('(hidden) (hidden)');
});

test('events of a subject are lines at debug, and those that somebody should see are warnings', async () => {
  const lines = (
    await log(`const { logEvents } = await import('${logger}');
      const tell = logEvents(log, 'pool', ['connect_failed']);
      for (const type of ['connect', 'checkout', 'checkin', 'invalidate', 'close']) tell({ type, connection: 7 });
      tell({ type: 'connect_failed', error: new Error('postgres://u:hunter2@db refused') });`)
  )
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  // The levels of pino: 20 is debug, 40 is warn.
  expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
    '20 pool connect',
    '20 pool checkout',
    '20 pool checkin',
    '20 pool invalidate',
    '20 pool close',
    '40 pool connect failed',
  ]);
  expect(lines[0]).toMatchObject({ connection: 7 });
  expect(JSON.stringify(lines)).not.toContain('hunter2');
});
