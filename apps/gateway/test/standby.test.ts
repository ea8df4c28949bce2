import { createPool } from '@sluice/pool';
import { describeWithServices, startPostgres, startReplica } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createClient } from './support/client.ts';
import { migrateServer } from './support/own-server.ts';
import { startSluice } from './support/running-service.ts';

describeWithServices(['postgres', 'redis', 'processes'], 'a gateway that reads from a standby', () => {
  test('finds every document as soon as it is ready, also while the standby lags', async () => {
    await using server = await startPostgres();
    await migrateServer(server.url, false);
    await using replica = await startReplica(server);
    await using sluice = await startSluice('services', {
      DATABASE_URL: server.url,
      DATABASE_READ_URLS: replica.url,
      DB_READ_MAX_LAG_MS: '60000',
    });
    const client = createClient(sluice.url);
    const findsIt = async (i: number) => {
      await client.upload(`${i}.txt`, `The number of this document is number${i}x, and nothing else.`);
      const { results } = await client.query({ query: `number${i}x`, k: 1 });
      expect(results[0]?.document.name).toBe(`${i}.txt`);
    };
    for (let i = 0; i < 12; i += 1) await findsIt(i);
    const readiness = async () => (await fetch(`${sluice.url}/readyz`)).json();
    const name = `standby 127.0.0.1:${replica.port}`;
    const standby = { ok: true, latency_ms: expect.any(Number) };
    expect(await readiness()).toMatchObject({ checks: { [name]: standby } });
    await replica.pauseReplay();
    for (let i = 12; i < 18; i += 1) await findsIt(i);
    await replica.resumeReplay();
    for (let i = 18; i < 24; i += 1) await findsIt(i);

    await using pool = createPool({ connectionString: replica.url, size: 1, maxOverflow: 0 });
    const { rows } = await pool.query<{ scans: number }>(
      "select coalesce(sum(seq_scan + idx_scan), 0) as scans from pg_stat_user_tables where relname like 'chunks_%'",
    );
    expect(Number(rows[0]?.scans)).toBeGreaterThan(0);
    await replica.stop();
    await expect.poll(readiness, { timeout: 20_000 }).toMatchObject({
      ready: true,
      checks: { [name]: { ok: false, detail: expect.any(String) } },
    });
  }, 90_000);
});
