import type { UploadBody } from '@sluice/contract';
import { createPool } from '@sluice/pool';
import { describeWithServices, type EmbeddingsServer, startEmbeddingsServer } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGateway } from '../src/index.ts';
import { createClient, form } from './support/client.ts';
import { openEvents } from './support/event-stream.ts';
import { type Mode, startSluice, untilReady } from './support/running-service.ts';

/** More than a thousand chunks: progress moves with every 128 of them. */
const longText = Array.from({ length: 1_100 }, (_, i) =>
  `Paragraph ${i} speaks of ${i * 7}. `.repeat(20),
).join('\n\n');

function liveStatus(mode: Mode): void {
  let provider: EmbeddingsServer;
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  let second: Awaited<ReturnType<typeof runGateway>>;
  beforeAll(async () => {
    provider = await startEmbeddingsServer({ dimensions: 16, latencyMs: 150 });
    sluice = await startSluice(mode, {
      EMBEDDING_PROVIDER: 'openai',
      EMBEDDING_MODEL: 'fake',
      EMBEDDING_DIMENSIONS: '16',
      OPENAI_API_KEY: 'any-key',
      OPENAI_BASE_URL: provider.baseUrl,
      EMBEDDING_BATCH_TEXTS: '64',
      EMBEDDING_CONCURRENCY: '1',
    });
    second = await runGateway(sluice.environment);
    await untilReady(second.url);
  });
  afterAll(async () => {
    await second?.stop();
    await sluice?.[Symbol.asyncDispose]();
    await provider?.close();
  });

  async function begin(name: string): Promise<UploadBody> {
    const answer = await createClient(sluice.url).post(form({ [name]: longText }));
    return ((await answer.json()) as { uploads: [UploadBody] }).uploads[0];
  }
  /** When a commit has made the upload ready, in ms since the epoch. */
  async function committed(id: string): Promise<number> {
    await using pool = createPool({
      connectionString: sluice.environment.DATABASE_URL as string,
      size: 1,
      maxOverflow: 0,
    });
    for (;;) {
      const { rows } = await pool.query<{ state: string }>(
        'select state from sluice.uploads where id = $1::uuid',
        [id],
      );
      if (rows[0]?.state === 'ready') return Date.now();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  const numbersOf = (id: string | undefined) => (id ?? '').split('.').map(Number);
  const comesAfter = (id: string | undefined, other: string | undefined) => {
    const [a, b] = [numbersOf(id), numbersOf(other)];
    const at = a.findIndex((part, i) => part !== b[i]);
    return at >= 0 && (a[at] as number) > (b[at] as number);
  };

  test('a client that comes back to another gateway gets what came after, each status once, up to the end', async () => {
    const { id, events_url } = await begin('followed.txt');
    const urls = [sluice.url, second.url];
    const ids: (string | undefined)[] = [];
    let last: UploadBody | undefined;
    for (let connection = 0; last?.state !== 'ready' && connection < 40; connection += 1) {
      const stream = await openEvents(`${urls[connection % 2]}${events_url}`, ids.at(-1));
      expect(stream.status).toBe(200);
      await Promise.race([
        stream.ended,
        expect.poll(() => stream.events.length, { interval: 5, timeout: 15_000 }).toBeGreaterThan(1),
      ]);
      stream.cut();
      await stream.ended;
      expect(stream.retry).toBe(1_000);
      ids.push(...stream.events.map((event) => event.id));
      last = stream.events.at(-1)?.upload ?? last;
    }
    expect(last?.state).toBe('ready');
    expect(ids.length).toBeGreaterThan(5);
    for (const [i, each] of ids.entries())
      if (i > 0) expect([each, comesAfter(each, ids[i - 1])]).toEqual([each, true]);

    // Who has seen the end is told to stay away; who has not gets it at once, and nothing else.
    for (const url of urls) {
      expect((await openEvents(`${url}${events_url}`, ids.at(-1))).status).toBe(204);
      for (const seen of [ids[0], undefined, 'nonsense', '9.9.9.9', '4294967295.5.0.0']) {
        const stream = await openEvents(`${url}${events_url}`, seen);
        await stream.ended;
        expect(stream.events.map((event) => [event.id, event.upload.state])).toEqual([[ids.at(-1), 'ready']]);
      }
    }
    const status = (await (await fetch(`${second.url}/v1/uploads/${id}`)).json()) as UploadBody;
    expect(status.progress.done).toBe(status.progress.total);
  });

  test('the end is told at once, and to every gateway', async () => {
    const { id, events_url } = await begin('ends.txt');
    const streams = await Promise.all(
      [sluice.url, second.url].map((url) => openEvents(`${url}${events_url}`)),
    );
    const committedAt = await committed(id);
    await Promise.all(streams.map((stream) => stream.ended));
    for (const { events } of streams) {
      const end = events.at(-1);
      expect(end?.upload.state).toBe('ready');
      // The next look at the rows would be up to a second away.
      expect((end?.receivedAt as number) - committedAt).toBeLessThan(mode === 'services' ? 300 : 1_000);
    }
  });

  test('one that is cancelled ends its streams at every gateway, and its retry begins anew', async () => {
    const { id, events_url } = await begin('cancelled.txt');
    const streams = await Promise.all(
      [sluice.url, second.url].map((url) => openEvents(`${url}${events_url}`)),
    );
    await expect
      .poll(() => streams[1]?.events.at(-1)?.upload.progress.done, { timeout: 20_000 })
      .toBeGreaterThan(0);
    await fetch(`${sluice.url}/v1/uploads/${id}/cancel`, { method: 'POST' });
    await Promise.all(streams.map((stream) => stream.ended));
    const seen = streams[1]?.events.at(-1);
    expect(seen?.upload.state).toBe('cancelled');
    // Its worker hears of it and asks the provider no more.
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    const { length } = provider.requests;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(provider.requests).toHaveLength(length);

    await fetch(`${sluice.url}/v1/uploads/${id}/retry`, { method: 'POST' });
    const again = await openEvents(`${second.url}${events_url}`, seen?.id);
    await again.ended;
    expect(again.events.at(-1)?.upload.state).toBe('ready');
    expect(again.events.every((event) => comesAfter(event.id, seen?.id))).toBe(true);
  });

  if (mode === 'services') {
    test('progress is live while Postgres hears only a sign of life', async () => {
      await using pool = createPool({
        connectionString: sluice.environment.DATABASE_URL as string,
        size: 1,
        maxOverflow: 0,
      });
      const { id, events_url } = await begin('live.txt');
      const stream = await openEvents(`${second.url}${events_url}`);
      const rows: number[] = [];
      const asked: number[] = [];
      let ended = false;
      void stream.ended.then(() => {
        ended = true;
      });
      while (!ended) {
        const { rows: found } = await pool.query<{ done: number; state: string }>(
          'select chunks_done as done, state from sluice.uploads where id = $1::uuid',
          [id],
        );
        const status = (await (await fetch(`${sluice.url}/v1/uploads/${id}`)).json()) as UploadBody;
        if (found[0]?.state === 'processing') rows.push(found[0].done);
        if (status.state === 'processing') asked.push(status.progress.done);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const live = stream.events.map(({ upload }) => upload.progress.done);
      expect(new Set(live).size).toBeGreaterThan(5);
      expect(new Set(asked).size).toBeGreaterThan(5);
      expect(new Set(rows).size).toBeLessThan(new Set(live).size / 2);
      expect(asked).toEqual(asked.toSorted((a, b) => a - b));
    });
  }
}

describeWithServices(['postgres'], 'live status, with Postgres only', () => liveStatus('postgres-only'));
describeWithServices(['postgres', 'redis'], 'live status, with Postgres and Redis', () =>
  liveStatus('services'),
);
