import type { BatchBody, CollectionBody, DocumentBody, ReceiptBody, UploadBody } from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { requiredScope } from '../src/access/route-scopes.ts';
import { form, problemOf } from './support/client.ts';
import { bearer, createKeyMaker, type KeyMaker } from './support/keys.ts';
import { type ListedRoute, listRoutes } from './support/list-routes.ts';
import { startSluice } from './support/running-service.ts';

const bootstrap = 'a-key-of-sufficient-length';
const json = { 'content-type': 'application/json' };

interface Sender {
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  upload(collection: string | undefined, text: string, headers?: Record<string, string>): Promise<Response>;
}

async function bodyOf<T>(answer: Promise<Response>, status = 200): Promise<T> {
  const given = await answer;
  expect(given.status).toBe(status);
  return (await given.json()) as T;
}

async function expectProblem(answer: Promise<Response>, status: number, code: string): Promise<void> {
  const given = await answer;
  expect([given.status, (await problemOf(given)).code]).toEqual([status, code]);
}

describeWithServices(['postgres'], 'a key for some collections', () => {
  const stack = new AsyncDisposableStack();
  let url: string;
  let routes: ListedRoute[];
  let keys: KeyMaker;
  let all: Sender;
  let ours: Sender;
  let theirs: Sender;
  let theirUpload: UploadBody;
  let ourUpload: UploadBody;

  function sender(key: string): Sender {
    const send: Sender['send'] = (method, path, body, headers = {}) =>
      fetch(`${url}/v1${path}`, {
        method,
        headers: { ...bearer(key), ...(body !== undefined && json), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    return {
      send,
      upload: (collection, text, headers) => send('POST', '/uploads', { text, collection }, headers),
    };
  }
  async function settled(accepted: Promise<Response>): Promise<UploadBody> {
    const { uploads } = await bodyOf<{ uploads: [UploadBody] }>(accepted, 202);
    const status = () => bodyOf<UploadBody>(all.send('GET', `/uploads/${uploads[0].id}`));
    await vi.waitUntil(async () => (await status()).state === 'ready', { timeout: 20_000 });
    return status();
  }

  beforeAll(async () => {
    const sluice = stack.use(await startSluice('postgres-only', { SLUICE_API_KEYS: bootstrap }));
    url = sluice.url;
    routes = listRoutes(sluice.app);
    keys = stack.use(createKeyMaker(sluice.environment.DATABASE_URL as string));
    const of = async (name: string) =>
      sender((await keys.make({ scopes: ['ingest', 'query'], collections: [name] })).key);
    all = sender(bootstrap);
    for (const name of ['ours', 'theirs']) await bodyOf(all.send('POST', '/collections', { name }), 201);
    [ours, theirs] = await Promise.all([of('ours'), of('theirs')]);
    ourUpload = await settled(ours.upload('ours', 'What is ours.'));
    theirUpload = await settled(theirs.upload('theirs', 'What is theirs, and nobody else shall read.'));
  });
  afterAll(() => stack.disposeAsync());

  test('may name no other, and hears the same of one that is not there', async () => {
    for (const name of ['theirs', 'default', 'nowhere']) {
      const refused: Promise<Response>[] = [
        ours.send('POST', '/query', { query: 'theirs', collection: name }),
        ours.send('POST', '/query', { query: 'theirs', collections: ['ours', name] }),
        ours.upload(name, 'x'),
        ours.send('GET', `/documents?collection=${name}`),
        ours.send('GET', `/uploads?collection=${name}`),
        ours.send('POST', '/uploads/retry', { collection: name }),
        ours.send('GET', `/collections/${name}`),
        ours.send('GET', `/collections/${name}/quality`),
      ];
      for (const answer of refused) await expectProblem(answer, 403, 'forbidden_collection');
    }
    // What names none means the default one.
    await expectProblem(ours.send('POST', '/query', { query: 'theirs' }), 403, 'forbidden_collection');
    await expectProblem(ours.upload(undefined, 'x'), 403, 'forbidden_collection');
    await expectProblem(ours.send('GET', '/documents'), 403, 'forbidden_collection');
  });

  test('of a form nothing is taken when one of its files is for another', async () => {
    const before = await bodyOf<{ uploads: UploadBody[] }>(all.send('GET', '/uploads'));
    const data = form({ 'a.txt': 'x' }, { collection: 'ours' });
    data.append('collection', 'theirs');
    data.append('file', new Blob(['y']), 'b.txt');
    const key = (await keys.make({ scopes: ['ingest'], collections: ['ours'] })).key;
    const answer = fetch(`${url}/v1/uploads`, { method: 'POST', headers: bearer(key), body: data });
    await expectProblem(answer, 403, 'forbidden_collection');
    const after = await bodyOf<{ uploads: UploadBody[] }>(all.send('GET', '/uploads'));
    expect(after.uploads).toHaveLength(before.uploads.length);
  });

  test('finds no upload and no document of another by its id', async () => {
    const { id, document_id: documentId } = theirUpload;
    const missing: [string, string, unknown?][] = [
      ['GET', `/uploads/${id}`],
      ['GET', `/uploads/${id}/events`],
      ['POST', `/uploads/${id}/cancel`],
      ['POST', `/uploads/${id}/retry`],
      ['DELETE', `/uploads/${id}`],
    ];
    for (const [method, path] of missing)
      await expectProblem(ours.send(method, path), 404, 'upload_not_found');
    const documents: [string, string, unknown?][] = [
      ['GET', `/documents/${documentId}`],
      ['GET', `/documents/${documentId}/text`],
      ['GET', `/documents/${documentId}/chunks`],
      ['PATCH', `/documents/${documentId}`, { name: 'ours now' }],
      ['DELETE', `/documents/${documentId}`],
    ];
    for (const [method, path, body] of documents)
      await expectProblem(ours.send(method, path, body), 404, 'document_not_found');
    const { name } = await bodyOf<DocumentBody>(theirs.send('GET', `/documents/${documentId}`));
    expect(name).not.toBe('ours now');
  });

  test('sees only its own in lists', async () => {
    const { uploads } = await bodyOf<{ uploads: UploadBody[] }>(ours.send('GET', '/uploads'));
    expect(new Set(uploads.map(({ collection }) => collection))).toEqual(new Set(['ours']));
    const { collections } = await bodyOf<{ collections: CollectionBody[] }>(ours.send('GET', '/collections'));
    expect(collections.map(({ name }) => name)).toEqual(['ours']);
    expect(
      (await bodyOf<DocumentBody>(ours.send('GET', `/documents/${ourUpload.document_id}`))).collection,
    ).toBe('ours');
  });

  test('gets nothing of another from any route, also from one that is yet to come', async () => {
    const { id: batch } = await bodyOf<BatchBody>(theirs.send('POST', '/batches'), 201);
    const text = { text: 'Theirs too.', collection: 'theirs' };
    await bodyOf(theirs.send('POST', `/uploads?batch=${batch}`, text), 202);
    const gone = await settled(theirs.upload('theirs', 'It goes at once.'));
    const { id: receipt } = await bodyOf<ReceiptBody>(theirs.send('DELETE', `/uploads/${gone.id}`));
    const ids: Record<string, string> = {
      uploads: theirUpload.id,
      documents: theirUpload.document_id,
      batches: batch,
      receipts: receipt,
    };
    const bodies: Record<string, unknown> = {
      'POST /v1/query': { query: 'theirs', collection: 'theirs' },
      'POST /v1/uploads': text,
      'PATCH /v1/documents/:id': { name: 'ours now' },
    };
    // What says nothing of a collection; then there is nothing of others in the answer.
    const open = ['GET /v1/uploads', 'POST /v1/uploads/retry', 'POST /v1/batches', 'GET /v1/collections'];
    const asked = routes.filter(
      ({ method, path }) =>
        method !== 'ALL' && path.startsWith('/v1/') && requiredScope(method, path) !== 'admin',
    );
    expect(asked.length).toBeGreaterThan(20);
    for (const { method, path } of asked) {
      const [, , noun = ''] = path.split('/');
      const theirPath = path.replace(':id', ids[noun] ?? 'unknown').replace(':name', 'theirs');
      const query = path === '/v1/documents' ? '?collection=theirs' : '';
      const title = `${method} ${path}`;
      const body = method === 'GET' ? undefined : (bodies[title] ?? {});
      const answer = await ours.send(method, `${theirPath}${query}`.slice('/v1'.length), body);
      if (!open.includes(title)) expect([403, 404], title).toContain(answer.status);
      const given = await answer.text();
      if (open.includes(title)) {
        expect(answer.ok, title).toBe(true);
        for (const secret of [...Object.values(ids), '"theirs"']) expect(given, title).not.toContain(secret);
      }
    }
    // Nothing was changed, either.
    expect((await bodyOf<UploadBody>(theirs.send('GET', `/uploads/${theirUpload.id}`))).state).toBe('ready');
    expect((await bodyOf<BatchBody>(theirs.send('GET', `/batches/${batch}`))).cancelled_at).toBeNull();
  });

  test('puts none of another back in line', async () => {
    const fail = async (who: Sender, collection: string) => {
      const { uploads } = await bodyOf<{ uploads: [UploadBody] }>(who.upload(collection, 'It fails.'), 202);
      await keys.pool.query(
        `update sluice.uploads set state = 'failed', error = '{"code":"of_a_test","retryable":true}' where id = $1::uuid`,
        [uploads[0].id],
      );
      return uploads[0].id;
    };
    const own = await fail(ours, 'ours');
    await fail(theirs, 'theirs');
    expect(await bodyOf(ours.send('POST', '/uploads/retry', { code: 'of_a_test' }))).toEqual({
      upload_ids: [own],
      remaining: 0,
    });
  });

  test('an Idempotency-Key of another key is not the same one', async () => {
    const key = { 'idempotency-key': 'the-same' };
    const [first, second, again] = [
      await bodyOf<{ uploads: [UploadBody] }>(theirs.upload('theirs', 'One text.', key), 202),
      await bodyOf<{ uploads: [UploadBody] }>(ours.upload('ours', 'One text.', key), 202),
      await bodyOf<{ uploads: [UploadBody] }>(theirs.upload('theirs', 'One text.', key), 202),
    ];
    expect(second.uploads[0].collection).toBe('ours');
    expect(again.uploads[0].id).toBe(first.uploads[0].id);
  });

  test('sees a batch only as long as nothing of others is in it, and an empty one only if it made it', async () => {
    const make = async (who: Sender) => (await bodyOf<BatchBody>(who.send('POST', '/batches'), 201)).id;
    const put = (who: Sender, id: string, collection: string) =>
      who.send('POST', `/uploads?batch=${id}`, { text: 'In a batch.', collection });
    const all404 = async (who: Sender, id: string) => {
      for (const [method, path] of [
        ['GET', `/batches/${id}`],
        ['GET', `/batches/${id}/uploads`],
        ['GET', `/batches/${id}/events`],
        ['POST', `/batches/${id}/cancel`],
      ] as const)
        await expectProblem(who.send(method, path), 404, 'batch_not_found');
      await expectProblem(put(who, id, 'ours'), 404, 'batch_not_found');
    };
    await all404(ours, await make(theirs));
    await all404(ours, await make(all));

    const id = await make(ours);
    expect((await bodyOf<BatchBody>(ours.send('GET', `/batches/${id}`))).status).toBe('empty');
    await bodyOf(put(ours, id, 'ours'), 202);
    expect((await bodyOf<BatchBody>(ours.send('GET', `/batches/${id}`))).counts.total).toBe(1);
    await bodyOf(put(all, id, 'theirs'), 202);
    await all404(ours, id);
    expect((await bodyOf<BatchBody>(all.send('GET', `/batches/${id}`))).cancelled_at).toBeNull();
  });

  test('a stream of a batch ends for it when something of others comes in', async () => {
    const { id } = await bodyOf<BatchBody>(ours.send('POST', '/batches'), 201);
    const stream = await ours.send('GET', `/batches/${id}/events`);
    expect(stream.status).toBe(200);
    // An empty batch counts as under way, so nothing else ends the stream.
    await bodyOf(all.send('POST', `/uploads?batch=${id}`, { text: 'Theirs.', collection: 'theirs' }), 202);
    const text = await stream.text();
    expect(text).toContain('event: deleted');
    expect(text).not.toContain('"total":1');
  });

  test('gets the receipts of its own deletions only', async () => {
    const gone = await settled(theirs.upload('theirs', 'It goes.'));
    const receipt = await bodyOf<ReceiptBody>(theirs.send('DELETE', `/documents/${gone.document_id}`));
    expect((await theirs.send('GET', `/receipts/${receipt.id}`)).status).toBe(200);
    await expectProblem(ours.send('GET', `/receipts/${receipt.id}`), 404, 'receipt_not_found');
    await bodyOf(all.send('DELETE', '/collections/theirs'));
    await expectProblem(theirs.send('GET', `/receipts/${receipt.id}`), 404, 'receipt_not_found');
  });
});
