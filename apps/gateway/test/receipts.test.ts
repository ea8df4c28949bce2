import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ReceiptBody, UploadBody } from '@sluice/contract';
import { createPool, type Pool } from '@sluice/pool';
import { describeWithServices, type EmbeddingsServer, startEmbeddingsServer } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../src/index.ts';
import { createClient, form, problemOf } from './support/client.ts';
import { type Environment, type Mode, startServices, untilReady } from './support/running-service.ts';

/** Hundreds of chunks in several windows, so that some lie staged while others are embedded. */
const longText = Array.from({ length: 500 }, (_, i) => `Paragraph ${i} speaks of ${i * 7}. `.repeat(20)).join(
  '\n\n',
);
const nothing = {
  documents: 0,
  uploads: 0,
  chunks: 0,
  staged_chunks: 0,
  parts: 0,
  jobs: 0,
  cache_entries: 0,
};

function receipts(mode: Mode): void {
  let provider: EmbeddingsServer;
  let worker: ChildProcess;
  let gateway: RunningGateway;
  let pool: Pool;
  const stack = new AsyncDisposableStack();

  async function startWorker(environment: Environment): Promise<ChildProcess> {
    const child = fork(fileURLToPath(new URL('support/worker-process.ts', import.meta.url)), {
      env: { PATH: process.env.PATH, ...environment },
    });
    stack.defer(async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    await once(child, 'message');
    return child;
  }
  beforeAll(async () => {
    provider = stack.use(await startEmbeddingsServer({ dimensions: 16 }));
    const services = stack.use(await startServices(mode));
    const environment: Environment = {
      ...services.environment,
      EMBEDDING_PROVIDER: 'openai',
      EMBEDDING_MODEL: 'fake',
      EMBEDDING_DIMENSIONS: '16',
      OPENAI_API_KEY: 'any-key',
      OPENAI_BASE_URL: provider.baseUrl,
      EMBEDDING_BATCH_TEXTS: '16',
      EMBEDDING_CONCURRENCY: '1',
      INSERT_BATCH_ROWS: '100',
    };
    gateway = await runGateway(environment);
    stack.defer(() => gateway.stop());
    await untilReady(gateway.url);
    pool = stack.use(
      createPool({ connectionString: environment.DATABASE_URL as string, size: 2, maxOverflow: 0 }),
    );
    worker = await startWorker(environment);
  });
  afterAll(() => stack.disposeAsync());

  const at = (path: string) => `${gateway.url}/v1${path}`;
  const remove = (path: string) => fetch(at(path), { method: 'DELETE' });
  const statusOf = async (id: string) => (await (await fetch(at(`/uploads/${id}`))).json()) as UploadBody;
  const receiptOf = async (id: string) => (await (await fetch(at(`/receipts/${id}`))).json()) as ReceiptBody;
  const slowly = () => provider.failWhen(() => ({ kind: 'slow', ms: 200 }));
  const quickly = () => provider.failWhen(() => undefined);

  /** An upload of which some chunks lie staged, and more are being embedded. */
  async function inTheMiddle(name: string, fields: Record<string, string>): Promise<UploadBody> {
    slowly();
    const answer = await createClient(gateway.url).post(form({ [name]: longText }, fields));
    const [upload] = ((await answer.json()) as { uploads: [UploadBody] }).uploads;
    await expect
      .poll(async () => (await statusOf(upload.id)).progress.done, { timeout: 20_000, interval: 20 })
      .toBeGreaterThan(100);
    return upload;
  }
  async function stagedOf(id: string): Promise<number> {
    return (await pool.query('select from sluice.staged_chunks where upload_id = $1::uuid', [id])).rowCount;
  }
  async function newCollection(name: string): Promise<void> {
    const answer = await fetch(at('/collections'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    expect(answer.status).toBe(201);
  }

  test('what is deleted during ingestion, by upload, document or collection, is not resurrected (cuga-project/cuga-agent#691)', async () => {
    const ways: Record<string, (upload: UploadBody) => string> = {
      upload: ({ id }) => `/uploads/${id}`,
      document: ({ document_id }) => `/documents/${document_id}`,
      collection: ({ collection }) => `/collections/${collection}`,
    };
    const deleted = [];
    for (const [by, pathOf] of Object.entries(ways)) {
      const collection = `during-${by}`;
      await newCollection(collection);
      const upload = await inTheMiddle('during.txt', { collection, metadata: '{"doc":"during"}' });
      expect(await stagedOf(upload.id), by).toBeGreaterThan(0);

      const answer = await remove(pathOf(upload));
      expect(answer.status, by).toBe(200);
      const receipt = (await answer.json()) as ReceiptBody;
      expect(receipt, by).toMatchObject({ complete: true, remaining: nothing, reasons: [] });
      expect(receipt.deleted, by).toMatchObject({ documents: 1, uploads: 1, chunks: 0, parts: 1 });
      expect(receipt.deleted.staged_chunks, by).toBeGreaterThan(0);
      deleted.push({ by, upload, receipt, path: pathOf(upload) });
    }

    // Time for the worker to end, for the lock to run out, and for the reconciler to look.
    quickly();
    const { length } = provider.requests;
    await sleep(4_000);
    expect(worker.exitCode).toBeNull();
    expect(provider.requests).toHaveLength(length);
    for (const { by, upload, receipt, path } of deleted) {
      expect(await receiptOf(receipt.id), by).toMatchObject({ complete: true, remaining: nothing });
      for (const gone of [`/uploads/${upload.id}`, `/documents/${upload.document_id}`]) {
        expect((await fetch(at(gone))).status, by).toBe(404);
      }
      if (by !== 'collection') {
        const { collection } = upload;
        const { results } = await createClient(gateway.url).query({ query: 'paragraph', collection });
        expect(results, by).toEqual([]);
      }
      expect((await remove(path)).status, by).toBe(404);
    }
  });

  /**
   * Not in the middle of a transaction: with the row locked the deletion would wait for it. A COPY that waits for more rows counts as
   * active, and holds up DROP DATABASE of other tests as well.
   */
  async function stopWorker(): Promise<void> {
    for (;;) {
      process.kill(worker.pid as number, 'SIGSTOP');
      const { rowCount } = await pool.query(
        `select from pg_stat_activity where datname = current_database() and application_name = 'sluice-worker'
           and state <> 'idle'`,
      );
      if (rowCount === 0) return;
      process.kill(worker.pid as number, 'SIGCONT');
      await sleep(20);
    }
  }

  test('a worker that was away during the deletion brings nothing back, and the receipt says what it still held', async () => {
    const upload = await inTheMiddle('zombie.txt', {});
    await stopWorker();
    let receipt: ReceiptBody;
    try {
      receipt = (await (await remove(`/documents/${upload.document_id}`)).json()) as ReceiptBody;
      expect(receipt).toMatchObject({
        complete: false,
        remaining: { ...nothing, jobs: 1 },
        reasons: [{ of: 'jobs', reason: expect.stringContaining('can publish nothing') }],
      });
    } finally {
      quickly();
      process.kill(worker.pid as number, 'SIGCONT');
    }
    await expect
      .poll(async () => (await receiptOf(receipt.id)).complete, { timeout: 15_000, interval: 100 })
      .toBe(true);
    await sleep(2_000);
    expect(await receiptOf(receipt.id)).toMatchObject({ complete: true, remaining: nothing });
  });

  test('a receipt counts what went, and an older version leaves the live one alone', async () => {
    const client = createClient(gateway.url);
    quickly();
    const fields = { external_id: 'twice', metadata: '{"doc":"twice"}' };
    const first = await client.upload('twice.txt', 'The first version.', fields);
    const live = await client.upload('twice.txt', `The second version.\n\n${longText}`, fields);
    const ask = () => client.query({ query: 'second version', filter: { doc: 'twice' }, k: 1 });
    expect((await ask()).results).toHaveLength(1);

    const old = (await (await remove(`/uploads/${first.id}`)).json()) as ReceiptBody;
    expect(old).toMatchObject({ kind: 'upload', target: first.id, complete: true });
    expect(old.deleted).toMatchObject({ documents: 0, uploads: 1, chunks: 0 });
    expect((await ask()).results).toHaveLength(1);

    const receipt = (await (await remove(`/documents/${live.document_id}`)).json()) as ReceiptBody;
    expect(receipt).toMatchObject({
      kind: 'document',
      target: live.document_id,
      receipt_url: `/v1/receipts/${receipt.id}`,
      deleted: { documents: 1, uploads: 1, chunks: live.progress.total, staged_chunks: 0, parts: 0 },
      remaining: nothing,
    });
    // The answer that was cached a moment ago can be given no more.
    expect((await ask()).results).toEqual([]);
    // The next document of that external id is another one.
    await client.upload('twice.txt', 'The third version.', fields);
    expect(await receiptOf(receipt.id)).toMatchObject({ complete: true });
  });

  test('a receipt is measured: what comes back from outside is counted and named', async () => {
    quickly();
    const { id, document_id } = await createClient(gateway.url).upload('back.txt', 'It comes back.');
    const receipt = (await (await remove(`/documents/${document_id}`)).json()) as ReceiptBody;
    expect(receipt.complete).toBe(true);
    await pool.query(
      `insert into sluice.documents (id, collection_id, external_id, name)
       select $1::uuid, id, 'back', 'back.txt' from sluice.collections where name = 'default'`,
      [document_id],
    );
    expect(await receiptOf(receipt.id)).toMatchObject({
      complete: false,
      remaining: { ...nothing, documents: 1 },
      reasons: [{ of: 'documents', reason: expect.stringContaining('restored') }],
    });
    await pool.query('delete from sluice.documents where id = $1::uuid', [document_id]);
    expect((await receiptOf(receipt.id)).complete).toBe(true);
    expect((await remove(`/uploads/${id}`)).status).toBe(404);
  });

  test('a receipt that is not there is a 404, and only GET is taken', async () => {
    for (const id of ['nonsense', '00000000-0000-7000-8000-000000000000']) {
      const answer = await fetch(at(`/receipts/${id}`));
      expect(answer.status).toBe(404);
      expect((await problemOf(answer)).code).toBe('receipt_not_found');
    }
    expect((await remove('/receipts/nonsense')).status).toBe(405);
  });
}

describeWithServices(['postgres'], 'receipts of deletions, with Postgres only', () =>
  receipts('postgres-only'),
);
describeWithServices(['postgres', 'redis'], 'receipts of deletions, with Postgres and Redis', () =>
  receipts('services'),
);
