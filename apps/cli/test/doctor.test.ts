import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { UploadBody } from '@sluice/contract';
import { migrateQueue } from '@sluice/queue';
import { createTestDatabase, describeWithServices } from '@sluice/testing';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './support/folder.ts';
import { runSluice } from './support/sluice.ts';
import { startUp } from './support/up.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

describe('sluice doctor', { timeout: 60_000 }, () => {
  it('finds nothing wrong with a fresh installation, and has the figures of all that runs', async () => {
    await using folder = await temporaryFolder();
    await using up = await startUp(join(folder.path, 'data'));
    // Processes say that they live every five seconds.
    await expect
      .poll(async () => (await runSluice(['doctor'], { SLUICE_URL: up.url })).stdout, { timeout: 30_000 })
      .toMatch(/^processes +1 gateway, 1 worker$/m);
    const { code, stdout } = await runSluice(['doctor'], { SLUICE_URL: up.url });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^database +ok {2}[\d.]+ ms$/m);
    expect(stdout).toMatch(/^connections +\d+ of 4 \+ 4 in use/m);
    expect(stdout).toMatch(/^uploads +0 wait, 0 in work, 0 failed$/m);
    expect(stdout).toContain('Nothing to recommend.');

    const { stdout: line } = await runSluice(['doctor', '--json'], { SLUICE_URL: up.url });
    expect(JSON.parse(line)).toMatchObject({
      readiness: { ready: true },
      scaling: { needed_workers: 1 },
      database: { recommendations: [] },
    });
  });

  it('looks at the services itself when no gateway answers, and ends with 3', async () => {
    const { code, stderr } = await runSluice(['doctor', '--url', 'http://127.0.0.1:1'], {
      DATABASE_URL: 'postgres://127.0.0.1:1/nothing',
    });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^Postgres: .*127\.0\.0\.1:1/m);
    expect(stderr).toContain('no answer from http://127.0.0.1:1');
  });
});

describeWithServices(['postgres'], 'sluice doctor without a worker', () => {
  it('says why an upload waits, and what to start', { timeout: 60_000 }, async () => {
    await using database = await createTestDatabase();
    await migrateQueue({ kind: 'postgres', connectionString: database.url });
    const child = spawn(process.execPath, [main, 'gateway'], {
      env: { ...process.env, DATABASE_URL: database.url, PORT: '0', LOG_FORMAT: 'json' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let url = '';
      for await (const text of createInterface(child.stdout)) {
        const entry = JSON.parse(text) as { msg: string; url?: string };
        if (entry.msg === 'gateway listens' && entry.url) {
          url = entry.url;
          break;
        }
      }
      child.stdout.resume();
      const send = () => fetch(`${url}/v1/uploads?name=a.txt`, { method: 'POST', body: 'Some words.' });
      await expect.poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 20_000 }).toBe(200);
      const { uploads } = (await (await send()).json()) as { uploads: [UploadBody] };
      const [{ id }] = uploads;
      await expect
        .poll(async () => (await runSluice(['doctor', id], { SLUICE_URL: url })).stdout, {
          timeout: 40_000,
          interval: 2_000,
        })
        .toMatch(/^critical {2}no_worker$/m);
      const { code, stdout } = await runSluice(['doctor', id], { SLUICE_URL: url });
      expect(code).toBe(1);
      expect(stdout).toMatch(/rests on: workers 0, queued 1, oldest_age_seconds \d+/);
      expect(stdout).toMatch(/command: sluice worker$/m);
      expect(stdout).toMatch(/^why +no worker was seen for 20 seconds.*\(no_worker, 0 before it\)$/m);
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  });
});
