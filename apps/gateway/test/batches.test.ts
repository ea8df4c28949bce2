import type { BatchBody, UploadBody } from '@sluice/contract';
import { createPool } from '@sluice/pool';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway } from '../src/index.ts';
import { form, problemOf } from './support/client.ts';
import { type Mode, startServices, startSluice, untilReady } from './support/running-service.ts';

const noBatch = '00000000-0000-7000-8000-000000000000';
const textFiles = (count: number, from = 0) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`f-${from + i}.txt`, `The text of file ${from + i}.`]),
  );

function batchClient(url: string) {
  const get = async (path: string) => (await fetch(`${url}${path}`)).json();
  return {
    async create(): Promise<BatchBody> {
      const answer = await fetch(`${url}/v1/batches`, { method: 'POST' });
      expect(answer.status).toBe(201);
      expect(answer.headers.get('location')).toMatch(/^\/v1\/batches\/[0-9a-f-]{36}$/);
      return (await answer.json()) as BatchBody;
    },
    send: (id: string, files: Record<string, string>, headers: Record<string, string> = {}) =>
      fetch(`${url}/v1/uploads?batch=${id}`, { method: 'POST', body: form(files), headers }),
    status: async (id: string) => (await get(`/v1/batches/${id}`)) as BatchBody,
    list: async (id: string, query = '') =>
      (await get(`/v1/batches/${id}/uploads${query}`)) as {
        uploads: UploadBody[];
        next_cursor: string | null;
      },
    cancel: (id: string) => fetch(`${url}/v1/batches/${id}/cancel`, { method: 'POST' }),
    async events(id: string): Promise<BatchBody[]> {
      const text = await (await fetch(`${url}/v1/batches/${id}/events`)).text();
      return [...text.matchAll(/^event: status\ndata: (.+)$/gm)].map(([, data]) =>
        JSON.parse(data as string),
      );
    },
  };
}

/** With a worker: what a batch says until it is done. */
function followed(mode: Mode): void {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  let client: ReturnType<typeof batchClient>;
  beforeAll(async () => {
    sluice = await startSluice(mode);
    client = batchClient(sluice.url);
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());

  test('is followed from empty to completed, over several requests', async () => {
    const batch = await client.create();
    expect(batch).toMatchObject({ status: 'empty', counts: { total: 0 }, cancelled_at: null });
    const following = client.events(batch.id);
    const first = await client.send(batch.id, textFiles(5));
    expect(first.status).toBe(202);
    const { uploads } = (await first.json()) as { uploads: UploadBody[] };
    expect(uploads.every(({ batch_id }) => batch_id === batch.id)).toBe(true);
    const events = await following;
    expect(events[0]?.status).toBe('empty');
    expect(events.at(-1)).toMatchObject({ status: 'completed', counts: { ready: 5, total: 5 } });

    // A PDF only by name: it fails, and the batch is completed nevertheless.
    const second = await client.send(batch.id, { 'broken.pdf': '%PDF-1.7 and nothing else' });
    expect(second.status).toBe(202);
    const last = (await client.events(batch.id)).at(-1);
    expect(last).toMatchObject({ status: 'completed', counts: { ready: 5, failed: 1, total: 6 } });

    const failed = await client.list(batch.id, '?state=failed');
    expect(failed.uploads.map(({ name }) => name)).toEqual(['broken.pdf']);
    const page = await client.list(batch.id, '?limit=4');
    const rest = await client.list(batch.id, `?limit=4&cursor=${page.next_cursor}`);
    expect([page.uploads.length, rest.uploads.length, rest.next_cursor]).toEqual([4, 2, null]);
    expect(new Set([...page.uploads, ...rest.uploads].map(({ id }) => id)).size).toBe(6);

    const [gone] = failed.uploads as [UploadBody];
    expect((await fetch(`${sluice.url}/v1/uploads/${gone.id}`, { method: 'DELETE' })).status).toBe(200);
    expect((await client.status(batch.id)).counts).toMatchObject({ failed: 0, total: 5 });
  });

  test('a JSON text and a raw body join it too', async () => {
    const { id } = await client.create();
    const url = `${sluice.url}/v1/uploads?batch=${id}`;
    const json = { 'content-type': 'application/json' };
    await fetch(url, { method: 'POST', headers: json, body: JSON.stringify({ text: 'One text.' }) });
    await fetch(`${url}&name=raw.txt`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: 'Another text.',
    });
    expect((await client.events(id)).at(-1)?.counts).toMatchObject({ ready: 2, total: 2 });
  });

  test.each([
    ['status', 'GET', `/v1/batches/${noBatch}`],
    ['status of what is no id', 'GET', '/v1/batches/nope'],
    ['uploads', 'GET', `/v1/batches/${noBatch}/uploads`],
    ['cancel', 'POST', `/v1/batches/${noBatch}/cancel`],
    ['cancel of what is no id', 'POST', '/v1/batches/nope/cancel'],
    ['events', 'GET', `/v1/batches/${noBatch}/events`],
    ['an upload', 'POST', `/v1/uploads?batch=${noBatch}`],
  ])('of one that does not exist: %s', async (_, method, path) => {
    const body = path.includes('uploads?') ? form(textFiles(1)) : null;
    const answer = await fetch(`${sluice.url}${path}`, { method, body });
    expect([answer.status, (await problemOf(answer)).code]).toEqual([404, 'batch_not_found']);
  });

  test.each([
    ['a batch that is no id', '/v1/uploads?batch=nope', form(textFiles(1)), {}],
    ['a batch given twice', `/v1/uploads?batch=${noBatch}&batch=${noBatch}`, form(textFiles(1)), {}],
    ['options that no batch has', '/v1/batches', '{"size":3}', { 'content-type': 'application/json' }],
  ] as const)('%s is refused', async (_, path, body, headers) => {
    const answer = await fetch(`${sluice.url}${path}`, { method: 'POST', body, headers });
    expect([answer.status, (await problemOf(answer)).code]).toEqual([400, 'invalid_request']);
  });
}

describeWithServices(['postgres', 'redis'], 'a batch of uploads, on Redis', () => followed('services'));
describe('a batch of uploads, embedded', () => followed('embedded'));

/** Without a worker everything stays queued. */
describeWithServices(['postgres', 'redis'], 'a batch of 2 000 files', () => {
  const stack = new AsyncDisposableStack();
  let client: ReturnType<typeof batchClient>;
  let database: string;
  beforeAll(async () => {
    const { environment } = stack.use(await startServices('services'));
    database = environment.DATABASE_URL as string;
    const gateway = await runGateway(environment);
    stack.defer(() => gateway.stop());
    await untilReady(gateway.url);
    client = batchClient(gateway.url);
  });
  afterAll(() => stack.disposeAsync());

  test('comes in one request, is counted by an index alone, and takes not one more', async () => {
    const { id } = await client.create();
    const answer = await client.send(id, textFiles(2_000));
    expect(answer.status).toBe(202);
    const { uploads } = (await answer.json()) as { uploads: UploadBody[] };
    expect(uploads.map(({ name }) => name)).toEqual(Object.keys(textFiles(2_000)));
    expect((await client.status(id)).counts).toMatchObject({ queued: 2_000, total: 2_000 });

    const more = await client.send(id, textFiles(1));
    expect(more.status).toBe(409);
    expect(await problemOf(more)).toMatchObject({ code: 'batch_full', limit: 2_000, uploads: 2_000 });

    await using pool = createPool({ connectionString: database, size: 1, maxOverflow: 0 });
    await pool.query('vacuum analyze sluice.uploads');
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `explain select state, count(*) from sluice.uploads where batch_id = '${id}' group by state`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    // All rows of the table are in this batch, so only the width of the index decides.
    expect(plan).toMatch(/Index Only Scan using uploads_by_batch|Bitmap Index Scan on uploads_by_batch/);
  });

  test('requests at the same time do not fill it beyond its limit', async () => {
    const { id } = await client.create();
    expect((await client.send(id, textFiles(1_990))).status).toBe(202);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => client.send(id, textFiles(3, n * 3))),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([202, 202, 202, 409, 409, 409, 409, 409]);
    expect((await client.status(id)).counts.total).toBe(1_999);
  });

  test('the request that has filled it can be repeated under its key', async () => {
    const { id } = await client.create();
    const headers = { 'idempotency-key': 'fills-the-batch' };
    const first = await client.send(id, textFiles(2_000), headers);
    expect(first.status).toBe(202);
    const again = await client.send(id, textFiles(2_000), headers);
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
    const other = await client.create();
    const elsewhere = await client.send(other.id, textFiles(2_000), headers);
    expect((await problemOf(elsewhere)).code).toBe('idempotency_key_reused');
    expect((await client.status(other.id)).counts.total).toBe(0);
  });

  test('is cancelled as a whole, and takes nothing then', async () => {
    const { id } = await client.create();
    expect((await client.send(id, textFiles(50))).status).toBe(202);
    const answer = await client.cancel(id);
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as BatchBody;
    expect(body).toMatchObject({ status: 'cancelled', counts: { cancelled: 50, queued: 0, total: 50 } });
    expect(body.cancelled_at).not.toBeNull();
    const again = (await (await client.cancel(id)).json()) as BatchBody;
    expect(again.cancelled_at).toBe(body.cancelled_at);
    const late = await client.send(id, textFiles(1));
    expect([late.status, (await problemOf(late)).code]).toEqual([409, 'batch_cancelled']);
  });
});
