import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ClientError, createClient } from '../client.ts';

const script = fileURLToPath(new URL('../ask.ts', import.meta.url));
const ask = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createSocketServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('without a server it says how to start one and exits with 1', async () => {
  const { status, stderr } = ask('--url', `http://127.0.0.1:${await freePort()}`);
  expect(stderr).toContain('ECONNREFUSED');
  expect(stderr).toContain('npm start');
  expect(status).toBe(1);
});

test('an unknown option or a bad address is answered with the usage and exit code 2', () => {
  for (const args of [
    ['--colection', 'x'],
    ['--url', 'nowhere'],
  ]) {
    const { status, stderr } = ask(...args);
    expect(stderr).toContain('Usage: node examples/ask.ts');
    expect(status).toBe(2);
  }
});

test('a refused upload is reported with the name of the file and the detail of the problem', async () => {
  await using server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(413, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ title: 'Too large', detail: 'The limit is 1 byte.' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const upload = { collection: 'c', externalId: 'e', metadata: {}, name: 'a.txt', bytes: new Uint8Array(2) };
  const error = await client.upload(upload).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ClientError);
  expect(error).toMatchObject({ code: 'refused', status: 413 });
  expect((error as ClientError).message).toContain('of a.txt was answered 413: The limit is 1 byte.');
});
