import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { forkGateway } from './support/forked-gateway.ts';
import { startServices } from './support/running-service.ts';

const megabyte = 1_048_576;

function residentBytes(child: ChildProcess): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

function* body(megabytes: number): Generator<Buffer> {
  yield Buffer.from(
    '--b\r\nContent-Disposition: form-data; name="file"; filename="large.txt"\r\nContent-Type: text/plain\r\n\r\n',
  );
  const block = Buffer.alloc(65_536, 'All work and no play makes a dull text.\n');
  for (let i = 0; i < megabytes * 16; i += 1) yield block;
  yield Buffer.from('\r\n--b--\r\n');
}

async function sendLarge(url: string, megabytes: number): Promise<number> {
  const outgoing = request(`${url}/v1/uploads`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  });
  const answered = once(outgoing, 'response');
  await pipeline(Readable.from(body(megabytes)), outgoing);
  const [response] = await answered;
  response.resume();
  return response.statusCode;
}

describeWithServices(['postgres'], 'an upload of 100 MB', () => {
  test('does not raise the memory of the gateway by more than 64 MB', { timeout: 120_000 }, async () => {
    await using services = await startServices('postgres-only');
    await using gateway = await forkGateway(services.environment);
    const { url, child } = gateway;
    // What stays afterwards, however much is sent: code, connections, a young generation of the heap that has grown.
    expect(await sendLarge(url, 25)).toBe(202);
    const before = residentBytes(child);
    let peak = before;
    const sampler = setInterval(() => {
      peak = Math.max(peak, residentBytes(child));
    }, 10);
    // Exactly the default limit of 104 857 600 bytes.
    expect(await sendLarge(url, 100)).toBe(202);
    clearInterval(sampler);
    expect((peak - before) / megabyte).toBeLessThan(64);
  });
});
