import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { whyNoDocker } from '../src/docker-engine.ts';
import { readEnvironment } from '../src/environment.ts';
import { findBrowser } from '../src/find-browser.ts';
import { findServiceHost } from '../src/find-host.ts';

afterEach(() => vi.unstubAllEnvs());

async function askEngine(answer: RequestListener): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-engine-'));
  const server = createServer(answer);
  await new Promise<void>((listening) => server.listen(join(folder, 'docker.sock'), listening));
  vi.stubEnv('DOCKER_HOST', `unix://${folder}/docker.sock`);
  try {
    return await whyNoDocker();
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
}

test('a Docker engine counts when its socket answers', async () => {
  expect(
    await askEngine((request, response) => response.end(request.url === '/_ping' ? 'OK' : '')),
  ).toBeNull();
});

test('a Docker socket that answers with an error, or not at all, does not count', async () => {
  expect(await askEngine((_, response) => response.writeHead(503).end())).toBe('/_ping answered 503');
  expect(await askEngine(() => {})).toBe('no answer within 2000 ms');
});

test('a Docker client without a socket does not count', async () => {
  vi.stubEnv('DOCKER_HOST', 'unix:///nowhere/docker.sock');
  expect(await whyNoDocker()).toBe('/nowhere/docker.sock does not exist');
});

test('the search for services can be forbidden, and says so', async () => {
  const environment = readEnvironment({ SLUICE_TEST_SERVICES: 'none' });
  expect(await findServiceHost(environment)).toEqual({ host: null, why: 'SLUICE_TEST_SERVICES=none' });
});

test('a browser is the one that TEST_CHROMIUM names, and where that is none, says so', async () => {
  const given = (path: string) => findBrowser(readEnvironment({ TEST_CHROMIUM: path }));
  expect(await given(process.execPath)).toEqual({ place: { executable: process.execPath }, why: null });
  const { place, why } = await given('/nowhere/chromium');
  expect(place).toBeNull();
  expect(why).toMatch(/^TEST_CHROMIUM: .*\/nowhere\/chromium/);
  const forbidden = readEnvironment({ SLUICE_TEST_SERVICES: 'none' });
  expect(await findBrowser(forbidden)).toEqual({ place: null, why: 'SLUICE_TEST_SERVICES=none' });
});

test('CI counts as set for any value but an empty one, 0 and false', () => {
  expect(['true', '1', 'woodpecker', '', '0', 'false'].map((CI) => readEnvironment({ CI }).ci)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
