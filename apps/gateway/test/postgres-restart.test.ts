import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadBody } from '@sluice/contract';
import { createPool } from '@sluice/pool';
import { describeWithServices, startPostgres } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { createClient, form } from './support/client.ts';
import { migrateServer } from './support/own-server.ts';
import { type Mode, startSluice } from './support/running-service.ts';

const modes = [
  ['services', ['postgres', 'redis', 'processes']],
  ['postgres-only', ['postgres', 'processes']],
] as const;

describe.each(modes)('in mode %s', (mode, needs) => {
  describeWithServices([...needs], 'a Postgres that is killed and restarted under load', () => {
    test('loses no upload, doubles no chunk, and needs no restart of ours', async () => {
      await using server = await startPostgres();
      await migrateServer(server.url, mode === 'postgres-only');
      await using sluice = await startSluice(mode as Mode, { DATABASE_URL: server.url });
      const client = createClient(sluice.url);
      const accepted: string[] = [];
      const answers = { ok: 0, failed: 0 };
      let loading = true;

      const uploading = Array.from({ length: 2 }, async (_, uploader) => {
        for (let i = 0; loading; i += 1) {
          const text = `document ${uploader}-${i} about ${['apples', 'pears', 'plums'][i % 3]}. `.repeat(40);
          const answer = await client.post(form({ [`${uploader}-${i}.txt`]: text })).catch(() => undefined);
          if (answer?.status === 202) {
            accepted.push(
              ...((await answer.json()) as { uploads: UploadBody[] }).uploads.map(({ id }) => id),
            );
          }
          await sleep(40);
        }
      });
      const querying = Array.from({ length: 4 }, async () => {
        while (loading) {
          const answer = await fetch(`${sluice.url}/v1/query`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ query: `apples ${Math.random()}`, k: 3 }),
          }).catch(() => undefined);
          if (answer?.ok) answers.ok += 1;
          else answers.failed += 1;
          await answer?.body?.cancel();
          await sleep(10);
        }
      });

      const flowing = async () => {
        const [uploads, ok] = [accepted.length, answers.ok];
        await expect
          .poll(() => accepted.length > uploads + 3 && answers.ok > ok + 20, { timeout: 30_000 })
          .toBe(true);
      };
      await flowing();
      await server.kill();
      await sleep(1_500);
      await server.start();
      await flowing();
      await server.restart();
      await flowing();
      loading = false;
      await Promise.all([...uploading, ...querying]);

      const ends = await Promise.all(accepted.map((id) => client.settled(id)));
      expect(
        ends
          .map(({ name, state, error }) => ({ name, state, error }))
          .filter(({ state }) => state !== 'ready'),
      ).toEqual([]);
      await using pool = createPool({ connectionString: server.url, size: 1, maxOverflow: 0 });
      const { rows } = await pool.query(
        `select count(*) as chunks, count(distinct (document_id, ordinal)) as places,
           (select sum(chunks_total)::int from sluice.uploads where state = 'ready') as expected from sluice.chunks_1`,
      );
      expect(rows[0]?.chunks).toBe(rows[0]?.places);
      expect(rows[0]?.chunks).toBe(rows[0]?.expected);
      expect(rows[0]?.chunks).toBeGreaterThanOrEqual(accepted.length);
    }, 120_000);
  });
});
