import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPoster } from '@sluice/outbound';
import {
  cancelBatch,
  cancelUpload,
  deleteOldDeliveries,
  insertBatch,
  joinBatch,
  retryUpload,
} from '@sluice/store';
import { describeWithServices } from '@sluice/testing';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { createUploadBatch, startWebhookSender, type WebhookSenderOptions } from '../src/index.ts';
import { openWorkshop, type Workshop } from './support/workshop.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

interface Message {
  id: string;
  body: { type: string; timestamp: string; data: Record<string, unknown> };
  at: number;
}

/** A real receiver that verifies with the library of the standard, and answers as it is told. */
async function startReceiver(
  answer: (response: ServerResponse, seen: number) => void = (response) => response.writeHead(204).end(),
) {
  const messages: Message[] = [];
  const faults: unknown[] = [];
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const headers = request.headers as Record<string, string>;
    const body = new Webhook(secret).verify(text, headers) as Message['body'];
    messages.push({ id: headers['webhook-id'] as string, body, at: performance.now() });
    answer(response, messages.length);
  }
  const server = createServer((request, response) => {
    receive(request, response).catch((error) => {
      faults.push(error);
      response.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    messages,
    faults,
    async until(count: number): Promise<void> {
      await expect
        .poll(() => messages.length, { timeout: 15_000, interval: 20 })
        .toBeGreaterThanOrEqual(count);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function startSender({ pool }: Workshop, trustedUrl: string, change: Partial<WebhookSenderOptions> = {}) {
  const attempts: (string | undefined)[] = [];
  const errors: unknown[] = [];
  const sender = startWebhookSender({
    db: pool.lane('control'),
    poster: createPoster({ rules: [], trustedUrl, timeoutMs: 1_000, userAgent: 'sluice/test' }),
    secret,
    concurrency: 4,
    intervalMs: 50,
    holdMs: 2_000,
    pausesMs: [20, 20, 20],
    onAttempt: (_, error) => attempts.push(error),
    onError: (error) => errors.push(error),
    ...change,
  });
  return Object.assign(sender, { attempts, errors });
}

async function accept(
  { pool, collection }: Workshop,
  webhookUrl: string | undefined,
  contents: Record<string, string>,
  batchId?: string,
): Promise<string[]> {
  await using batch = createUploadBatch({
    db: pool.lane('bulk'),
    maxBytes: 1_000_000,
    requestId: null,
    webhookUrl,
    batchId,
  });
  for (const [externalId, content] of Object.entries(contents)) {
    async function* bytes() {
      yield Buffer.from(content);
    }
    await batch.receive({
      collection,
      fileName: content.startsWith('%PDF') ? 'a.pdf' : 'a.txt',
      mediaType: undefined,
      externalId,
      name: undefined,
      metadata: {},
      chunking: undefined,
      priority: 'normal',
      bytes: bytes(),
    });
  }
  return (await batch.accept()).uploads.map(({ id }) => id);
}

async function deliveries({ pool }: Workshop) {
  const { rows } = await pool.query<{ type: string; state: string; attempts: number; error: string | null }>(
    `select payload ->> 'type' as type, state, attempts, last_error as error
     from sluice.webhook_deliveries order by created_at, id`,
  );
  return rows;
}

const url = 'http://receiver.test/hook';

describeWithServices('postgres', 'the news of an upload that ends', () => {
  test('is recorded by whatever ends it, once each time, and not without a webhook', async () => {
    await using workshop = await openWorkshop();
    const { pool } = workshop;
    const types = async () => (await deliveries(workshop)).map(({ type }) => type);

    const [ready] = await accept(workshop, url, { a: 'Some text.' });
    expect(await types()).toEqual([]);
    await workshop.ingest(ready as string);
    expect(await types()).toEqual(['upload.ready']);

    await accept(workshop, url, { a: 'Some text.' });
    expect(await types()).toEqual(['upload.ready', 'upload.ready']);
    await pool.query('delete from sluice.webhook_deliveries');

    const [broken] = await accept(workshop, url, { b: '%PDF-1.7 and nothing else' });
    await workshop.ingest(broken as string).catch(() => {});
    expect(await types()).toEqual(['upload.failed']);
    await retryUpload(pool, broken as string);
    await workshop.ingest(broken as string).catch(() => {});
    expect(await types()).toEqual(['upload.failed', 'upload.failed']);
    await pool.query('delete from sluice.webhook_deliveries');

    const [older] = await accept(workshop, url, { c: 'Old.' });
    const [newer] = await accept(workshop, undefined, { c: 'New.' });
    await workshop.ingest(newer as string);
    await workshop.ingest(older as string);
    expect(await types()).toEqual(['upload.superseded']);
    await pool.query('delete from sluice.webhook_deliveries');

    const batchId = randomUUID();
    await insertBatch(pool, batchId);
    await accept(workshop, url, { d: 'One.', e: 'Two.' }, batchId);
    const [alone] = await accept(workshop, url, { f: 'Three.' });
    await cancelUpload(pool, alone as string);
    await cancelUpload(pool, alone as string);
    await pool.lane('bulk').transaction((transaction) => cancelBatch(transaction, batchId));
    expect(await types()).toEqual(['upload.cancelled', 'upload.cancelled', 'upload.cancelled']);
  });

  test('is not recorded when the transaction that ends the upload does not commit', async () => {
    await using workshop = await openWorkshop();
    const [id] = await accept(workshop, url, { a: 'Some text.' });
    const undone = workshop.pool.lane('bulk').transaction(async (transaction) => {
      await cancelUpload(transaction, id as string);
      await joinBatch(transaction, randomUUID());
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(await deliveries(workshop)).toEqual([]);
  });
});

describeWithServices('postgres', 'a webhook', () => {
  test('is signed by the standard, and says what became of the upload', async () => {
    await using workshop = await openWorkshop();
    await using receiver = await startReceiver();
    await using sender = startSender(workshop, receiver.url);
    const [id] = await accept(workshop, receiver.url, { a: 'Some text.' });
    await workshop.ingest(id as string);
    await receiver.until(1);
    expect(receiver.messages[0]?.body).toMatchObject({
      type: 'upload.ready',
      data: { id, state: 'ready', collection: 'test', external_id: 'a', error: null, chunks: 1 },
    });
    expect(Date.now() - Date.parse(receiver.messages[0]?.body.timestamp as string)).toBeLessThan(60_000);
    await expect.poll(() => deliveries(workshop)).toMatchObject([{ state: 'delivered', attempts: 1 }]);
    expect([receiver.faults, sender.errors]).toEqual([[], []]);
  });

  test('is repeated under the same id until it is taken', async () => {
    await using workshop = await openWorkshop();
    await using receiver = await startReceiver((response, seen) => {
      if (seen === 1) response.writeHead(500).end();
      else if (seen === 2) response.destroy();
      else response.writeHead(200).end();
    });
    await using sender = startSender(workshop, receiver.url);
    const [id] = await accept(workshop, receiver.url, { a: 'Some text.' });
    await cancelUpload(workshop.pool, id as string);
    await expect
      .poll(() => deliveries(workshop), { timeout: 10_000 })
      .toMatchObject([{ state: 'delivered', attempts: 3 }]);
    expect(new Set(receiver.messages.map((message) => message.id)).size).toBe(1);
    expect(sender.attempts).toEqual(['status 500', expect.stringContaining('url_unreachable'), undefined]);
  });

  test.each([
    ['410, at once', (response: ServerResponse) => response.writeHead(410).end(), 1, 'status 410'],
    ['too many failures', (response: ServerResponse) => response.writeHead(503).end(), 4, 'status 503'],
    [
      'too many redirects, which are not followed',
      (response: ServerResponse) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      4,
      'status 302',
    ],
  ])('is given up after %s', async (_, answer, attempts, error) => {
    await using workshop = await openWorkshop();
    await using receiver = await startReceiver(answer);
    await using _sender = startSender(workshop, receiver.url);
    const [id] = await accept(workshop, receiver.url, { a: 'Some text.' });
    await cancelUpload(workshop.pool, id as string);
    await expect
      .poll(() => deliveries(workshop), { timeout: 10_000 })
      .toMatchObject([{ state: 'failed', attempts, error }]);
  });

  test('to an address that is not allowed is never sent', async () => {
    await using workshop = await openWorkshop();
    await using receiver = await startReceiver();
    await using sender = startSender(workshop, 'http://elsewhere.test/');
    const [id] = await accept(workshop, receiver.url, { a: 'Some text.' });
    await cancelUpload(workshop.pool, id as string);
    await expect.poll(() => deliveries(workshop)).toMatchObject([{ state: 'failed', attempts: 1 }]);
    expect(receiver.messages).toEqual([]);
    expect(sender.attempts[0]).toContain('url_not_allowed');
  });

  test('waits as long as Retry-After asks', async () => {
    await using workshop = await openWorkshop();
    await using receiver = await startReceiver((response, seen) =>
      seen === 1 ? response.writeHead(429, { 'retry-after': '1' }).end() : response.writeHead(200).end(),
    );
    await using _sender = startSender(workshop, receiver.url);
    const [id] = await accept(workshop, receiver.url, { a: 'Some text.' });
    await cancelUpload(workshop.pool, id as string);
    await receiver.until(2);
    const [first, second] = receiver.messages as [Message, Message];
    expect(second.at - first.at).toBeGreaterThan(950);
  });

  test('of many goes out once each, by however many senders', async () => {
    await using workshop = await openWorkshop();
    await using receiver = await startReceiver();
    const contents = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`d-${n}`, `Text ${n}.`]));
    const batchId = randomUUID();
    await insertBatch(workshop.pool, batchId);
    await accept(workshop, receiver.url, contents, batchId);
    await using senders = new AsyncDisposableStack();
    for (let n = 0; n < 4; n += 1) senders.use(startSender(workshop, receiver.url, { holdMs: 30_000 }));
    await workshop.pool.lane('bulk').transaction((transaction) => cancelBatch(transaction, batchId));
    await receiver.until(100);
    await expect
      .poll(async () => (await deliveries(workshop)).filter(({ state }) => state === 'delivered').length, {
        timeout: 10_000,
      })
      .toBe(100);
    expect([receiver.messages.length, new Set(receiver.messages.map(({ id }) => id)).size]).toEqual([
      100, 100,
    ]);
  });

  test('that was under way when its sender died is sent again by another', async () => {
    await using workshop = await openWorkshop();
    await using receiver = await startReceiver((response, seen) => {
      // The first is left without an answer.
      if (seen > 1) response.writeHead(200).end();
    });
    const [id] = await accept(workshop, receiver.url, { a: 'Some text.' });
    await cancelUpload(workshop.pool, id as string);
    const options = { holdMs: 500 };
    const first = startSender(workshop, receiver.url, options);
    await receiver.until(1);
    await first[Symbol.asyncDispose]();
    await using _second = startSender(workshop, receiver.url, options);
    await expect
      .poll(() => deliveries(workshop), { timeout: 10_000 })
      .toMatchObject([{ state: 'delivered', attempts: 2 }]);
    expect(new Set(receiver.messages.map((message) => message.id)).size).toBe(1);
  });

  test('to one that answers slowly does not delay others', async () => {
    await using workshop = await openWorkshop();
    await using slow = await startReceiver(() => {});
    await using quick = await startReceiver();
    const batchId = randomUUID();
    await insertBatch(workshop.pool, batchId);
    // Of one receiver, though no two URLs are the same.
    for (let n = 0; n < 20; n += 1)
      await accept(workshop, `${slow.url}?upload=${n}`, { [`d-${n}`]: `Text ${n}.` }, batchId);
    await workshop.pool.lane('bulk').transaction((transaction) => cancelBatch(transaction, batchId));
    const poster = createPoster({
      rules: [slow.url, quick.url].map((text) => ({
        host: '127.0.0.1',
        port: Number(new URL(text).port),
        ranges: ['127.0.0.1'],
      })),
      trustedUrl: undefined,
      timeoutMs: 20_000,
      userAgent: 'sluice/test',
    });
    await using _sender = startSender(workshop, '', { poster, holdMs: 40_000 });
    await slow.until(2);
    const [id] = await accept(workshop, quick.url, { other: 'Text.' });
    await cancelUpload(workshop.pool, id as string);
    await quick.until(1);
    expect(slow.messages).toHaveLength(2);
  });

  test('that is a week old is forgotten', async () => {
    await using workshop = await openWorkshop();
    const [id] = await accept(workshop, url, { a: 'Some text.' });
    await cancelUpload(workshop.pool, id as string);
    expect(await deleteOldDeliveries(workshop.pool, 60_000)).toBe(0);
    expect(await deleteOldDeliveries(workshop.pool, 0)).toBe(1);
  });
});
