import type { RedrivenBody, UploadBody } from '@sluice/contract';
import { createPool } from '@sluice/pool';
import { describeWithServices, type EmbeddingsServer, startEmbeddingsServer } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, form, problemOf } from './support/client.ts';
import { type Mode, startSluice } from './support/running-service.ts';

/** Hundreds of chunks, so that a slow provider is busy with it for a while. */
const longText = Array.from({ length: 400 }, (_, i) => `Paragraph ${i} speaks of ${i * 7}. `.repeat(20)).join(
  '\n\n',
);

function steering(mode: Mode): void {
  let provider: EmbeddingsServer;
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  let client: ReturnType<typeof createClient>;
  beforeAll(async () => {
    provider = await startEmbeddingsServer({ dimensions: 64, apiKey: 'right-key' });
    sluice = await startSluice(mode, {
      EMBEDDING_PROVIDER: 'openai',
      EMBEDDING_MODEL: 'fake',
      EMBEDDING_DIMENSIONS: '64',
      OPENAI_API_KEY: 'right-key',
      OPENAI_BASE_URL: provider.baseUrl,
      EMBEDDING_BATCH_TEXTS: '8',
      EMBEDDING_CONCURRENCY: '1',
    });
    client = createClient(sluice.url);
  });
  afterAll(async () => {
    await sluice?.[Symbol.asyncDispose]();
    await provider?.close();
  });

  const send = (method: string, path: string, body?: unknown) =>
    fetch(`${sluice.url}/v1/uploads${path}`, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
  const statusOf = async (id: string) => (await (await send('GET', `/${id}`)).json()) as UploadBody;
  async function begin(name: string, text: string, fields: Record<string, string> = {}): Promise<UploadBody> {
    const { uploads } = (await (await client.post(form({ [name]: text }, fields))).json()) as {
      uploads: [UploadBody];
    };
    return uploads[0];
  }
  async function withPool<T>(use: (pool: ReturnType<typeof createPool>) => Promise<T>): Promise<T> {
    await using pool = createPool({
      connectionString: sluice.environment.DATABASE_URL as string,
      size: 1,
      maxOverflow: 0,
    });
    return await use(pool);
  }
  const slowly = () => provider.failWhen(() => ({ kind: 'slow', ms: 150 }));
  const quickly = () => provider.failWhen(() => undefined);

  test('an upload that is cancelled while it is worked on ends there, and nothing of it can be found', async () => {
    slowly();
    const { id } = await begin('cancelled.txt', longText, { metadata: '{"doc":"cancelled"}' });
    await expect.poll(async () => (await statusOf(id)).progress.done, { timeout: 20_000 }).toBeGreaterThan(0);
    const answer = await send('POST', `/${id}/cancel`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ id, state: 'cancelled', stage: 'done', error: null });
    // Its worker hears of it and stops asking the provider.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const { length } = provider.requests;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(provider.requests).toHaveLength(length);
    quickly();
    expect((await client.query({ query: 'paragraph', filter: { doc: 'cancelled' } })).results).toEqual([]);
    expect((await send('POST', `/${id}/cancel`)).status).toBe(200);
    expect((await statusOf(id)).state).toBe('cancelled');
    await withPool(async (pool) => {
      await expect
        .poll(async () => (await pool.query('select from sluice.staged_chunks')).rowCount, {
          timeout: 10_000,
        })
        .toBe(0);
    });
  });

  test('a cancelled upload can be retried, and then becomes ready with each chunk once', async () => {
    slowly();
    const { id, document_id } = await begin('retried.txt', longText);
    await expect.poll(async () => (await statusOf(id)).state, { timeout: 20_000 }).toBe('processing');
    await send('POST', `/${id}/cancel`);
    quickly();
    const answer = await send('POST', `/${id}/retry`);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ id, error: null, progress: { done: 0, total: null } });
    const ready = await client.settled(id);
    expect(ready).toMatchObject({ state: 'ready', document_id });
    const document = await (await fetch(`${sluice.url}/v1/documents/${document_id}`)).json();
    expect(document).toMatchObject({ chunks: ready.progress.total, upload_id: id });
  });

  test('the live version stays when its replacement is cancelled', async () => {
    const fields = { external_id: 'stays', metadata: '{"doc":"stays"}' };
    await client.upload('stays.txt', 'The heron stands in the water.', fields);
    slowly();
    const { id } = await begin('stays.txt', longText, fields);
    await expect.poll(async () => (await statusOf(id)).state, { timeout: 20_000 }).toBe('processing');
    await send('POST', `/${id}/cancel`);
    quickly();
    const { results } = await client.query({ query: 'heron', filter: { doc: 'stays' } });
    expect(results.map(({ text }) => text)).toEqual(['The heron stands in the water.']);
  });

  test('what has ended cannot be cancelled, and what did not fail cannot be retried', async () => {
    const { id } = await client.upload('done.txt', 'It is done.');
    const cancelled = await send('POST', `/${id}/cancel`);
    expect(cancelled.status).toBe(409);
    expect(await problemOf(cancelled)).toMatchObject({ code: 'upload_final', state: 'ready' });
    const retried = await send('POST', `/${id}/retry`);
    expect(retried.status).toBe(409);
    expect(await problemOf(retried)).toMatchObject({ code: 'upload_not_retryable', state: 'ready' });
    for (const action of ['cancel', 'retry']) {
      expect((await send('POST', `/00000000-0000-7000-8000-000000000000/${action}`)).status).toBe(404);
      expect((await send('POST', `/nonsense/${action}`)).status).toBe(404);
      expect((await send('GET', `/${id}/${action}`)).status).toBe(405);
    }
  });

  test('one that waits between two attempts says so', async () => {
    provider.failWhen(() => ({ kind: 'status', status: 500 }));
    const { id } = await begin('later.txt', 'A provider that is away for a while.');
    await expect
      .poll(async () => (await statusOf(id)).waiting, { timeout: 20_000 })
      .toMatchObject({
        reason: 'between_attempts',
        detail: expect.stringContaining('tried again after a pause'),
      });
    // It must not be there when others count what has failed.
    expect((await send('POST', `/${id}/cancel`)).status).toBe(200);
    quickly();
  });

  test('one that failed is retried when the cause is gone, and its error with it', async () => {
    provider.failWhen(() => ({ kind: 'status', status: 401 }));
    const { id } = await begin('key.txt', 'A wrong key.');
    const failed = await client.settled(id);
    expect(failed).toMatchObject({ state: 'failed', error: { retryable: false, stage: 'embedding' } });
    quickly();
    expect((await send('POST', `/${id}/retry`)).status).toBe(202);
    expect(await client.settled(id)).toMatchObject({ state: 'ready', error: null, attempts: 1 });
  });

  test('an outage is made good by one redrive of what it failed, and of nothing else (langfuse/langfuse#7024)', async () => {
    const broken = await client.upload('broken.pdf', '%PDF-1.7\nthis is no PDF at all');
    expect(broken.state).toBe('failed');
    provider.failWhen(() => ({ kind: 'status', status: 401 }));
    const uploads = await Promise.all(
      Array.from({ length: 12 }, (_, i) => client.upload(`outage-${i}.txt`, `Number ${i} of the outage.`)),
    );
    expect(uploads.filter(({ state }) => state === 'failed')).toHaveLength(12);
    const code = uploads[0]?.error?.code as string;
    quickly();
    const redrive = async (body: unknown) =>
      (await (await send('POST', '/retry', body)).json()) as RedrivenBody;
    expect(await redrive({ code: 'nothing_has_this' })).toEqual({ upload_ids: [], remaining: 0 });
    const first = await redrive({ code, limit: 5 });
    expect(first.upload_ids).toHaveLength(5);
    expect(first.remaining).toBe(7);
    const rest = await redrive({ code, collection: 'default' });
    expect([...first.upload_ids, ...rest.upload_ids].sort()).toEqual(uploads.map(({ id }) => id).sort());
    expect(rest.remaining).toBe(0);
    for (const { id } of uploads) expect((await client.settled(id)).state).toBe('ready');
    expect((await statusOf(broken.id)).state).toBe('failed');
    expect((await send('POST', '/retry', { limit: 0 })).status).toBe(400);
    expect((await send('POST', '/retry', { collection: 'nowhere' })).status).toBe(404);
  });
}

describeWithServices(['postgres'], 'steering uploads, with Postgres only', () => steering('postgres-only'));
describeWithServices(['postgres', 'redis'], 'steering uploads, with Postgres and Redis', () =>
  steering('services'),
);
