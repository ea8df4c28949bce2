import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadBody } from '@sluice/contract';
import { createRandom, describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createClient, form } from './support/client.ts';
import { forkGateway } from './support/forked-gateway.ts';
import { watchDatabase } from './support/held-chunks.ts';
import { createClients, type Reply } from './support/many-clients.ts';
import { readMetrics, sumOf } from './support/metrics.ts';
import { startSluice } from './support/running-service.ts';

const count = 1_000;
const secondsOfFloor = 7;
const perSecond = 100;
const seed = Number(process.env.STRESS_SEED ?? Date.now() % 1_000_000_000);

describeWithServices(['postgres', 'redis'], `${count} connections`, () => {
  test(`are all answered at ${perSecond} queries a second, and answered or told to come back when all ask at once (STRESS_SEED=${seed})`, {
    timeout: 90_000,
  }, async () => {
    await using sluice = await startSluice('services');
    const client = createClient(sluice.url);
    const abouts = Array.from({ length: 20 }, (_, i) => ['apples', 'pears', 'plums'][i % 3]);
    const files = abouts.map((about, i) => [`${i}.txt`, `Document ${i} about ${about}. `.repeat(30)]);
    const accepted = await client.post(form(Object.fromEntries(files)));
    const { uploads } = (await accepted.json()) as { uploads: UploadBody[] };
    for (const { id } of uploads) expect((await client.settled(id)).state).toBe('ready');
    await using gateway = await forkGateway(sluice.environment);
    await using onlooker = watchDatabase(sluice.environment.DATABASE_URL as string);
    // At first it has the floor of the budget, and a moment later its share.
    await expect
      .poll(async () => sumOf(await readMetrics(gateway.url), 'db_client_connection_max'), {
        timeout: 20_000,
      })
      .toBeGreaterThan(10);
    using clients = createClients(gateway.url, count);
    const random = createRandom(seed);
    let asked = 0;
    const nowhere = { filter: { place: 'nowhere' } };
    const ask = (i: number): Promise<Reply> => {
      asked += 1;
      // Every third is asked by nobody else.
      const query = asked % 3 === 0 ? `pears of ${asked}` : `apples of ${asked % 20}`;
      return clients.ask(i, { query, k: 5, ...(asked % 10 === 0 && nowhere) });
    };

    const replies: Reply[] = [];
    await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const until = performance.now() + secondsOfFloor * 1_000;
        await sleep((i / count) * 5_000);
        while (performance.now() < until) {
          replies.push(await ask(i));
          await sleep(
            Math.min(random.exponential(1_000 * (count / perSecond)), Math.max(0, until - performance.now())),
          );
        }
      }),
    );
    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    expect(replies.length).toBeGreaterThanOrEqual(count);
    const found = replies.map(({ body }) => body.results.length);
    expect(new Set(found)).toEqual(new Set([0, 5]));
    const burst = await Promise.all(Array.from({ length: count }, (_, i) => ask(i)));
    expect(clients.connections()).toBe(count);
    for (const { status, retryAfter, body } of burst) {
      if (status === 200) continue;
      expect([status, body.code]).toEqual([503, 'overloaded']);
      expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
    }

    const metrics = await readMetrics(gateway.url);
    expect(sumOf(metrics, 'sluice_search_requests_total')).toBe(replies.length + count);
    expect(sumOf(metrics, 'sluice_search_shed_total')).toBe(
      burst.filter(({ status }) => status === 503).length,
    );
    expect(sumOf(metrics, 'db_client_connection_count', 'state="used"')).toBe(0);
    await expect
      .poll(async () => {
        const ours = await Promise.all([gateway.url, sluice.url].map(readMetrics));
        const pooled = ours.reduce((sum, each) => sum + sumOf(each, 'db_client_connection_count'), 0);
        // Each has one more that listens.
        return (await onlooker.connections()) - pooled - 2;
      })
      .toBe(0);
  });
});
