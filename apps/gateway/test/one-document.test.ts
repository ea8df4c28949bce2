import { readdir } from 'node:fs/promises';
import type { UploadBody } from '@sluice/contract';
import { expect, test } from 'vitest';
import { corpus, form } from './support/client.ts';
import { describeInModes, type SluiceOfSuite } from './support/in-modes.ts';

/** The main job, the same on each mode. */
function oneDocumentEndToEnd(sluice: SluiceOfSuite): void {
  const json = (path: string, body: unknown) =>
    fetch(`${sluice.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  test('a file of each format becomes ready, and each is found again', async () => {
    const files = await readdir(corpus);
    const uploads = await Promise.all(files.map((file) => sluice.client.uploadFromCorpus(file)));
    expect(uploads.map(({ state, name }) => `${name} ${state}`)).toEqual(
      files.map((file) => `${file} ready`),
    );
    expect(new Set(uploads.map(({ format }) => format)).size).toBe(11);
    for (const { progress } of uploads) expect(progress.done).toBe(progress.total);
  });

  test('a sentence of the PDF finds its passage first, with its page', async () => {
    const { results } = await sluice.client.query({
      query: 'With a bid validity of ninety days, the guarantee then runs for one hundred and twenty days',
      k: 3,
    });
    expect(results[0]).toMatchObject({ page: 2, document: { name: 'bid-security.pdf' } });
    expect(results[0]?.text).toContain('one hundred and twenty days');
    expect(results[0]?.heading_path.join(' ')).toContain('Validity');
  });

  test('a Vietnamese document is found with and without diacritics', async () => {
    for (const query of ['bảo đảm thực hiện hợp đồng', 'bao dam thuc hien hop dong']) {
      const { results } = await sluice.client.query({ query, k: 1 });
      expect(results[0]?.document.name).toBe('bao-dam-thuc-hien-hop-dong.pdf');
    }
  });

  test('several files in one request make several uploads, in order', async () => {
    const answer = await sluice.client.post(
      form({ 'a.txt': 'first apple', 'b.md': '# Second\n\npear' }, { metadata: '{"set":"pair"}' }),
    );
    const { uploads } = (await answer.json()) as { uploads: UploadBody[] };
    expect(uploads.map(({ name, format }) => [name, format])).toEqual([
      ['a.txt', 'text'],
      ['b.md', 'markdown'],
    ]);
    for (const { id } of uploads) expect((await sluice.client.settled(id)).state).toBe('ready');
    const { results } = await sluice.client.query({ query: 'apple', k: 50, filter: { set: 'pair' } });
    expect(results.map(({ document }) => document.name).sort()).toEqual(['a.txt', 'b.md']);
  });

  test('raw bodies and JSON texts are taken as well', async () => {
    const raw = await fetch(`${sluice.url}/v1/uploads?name=raw.html&external_id=raw`, {
      method: 'POST',
      headers: { 'content-type': 'text/html' },
      body: '<h1>Quokka</h1><p>A small marsupial of Rottnest Island.</p>',
    });
    const text = await json('/v1/uploads', {
      text: 'The zyzzyva is a weevil.',
      name: 'weevil',
      metadata: { kind: 'text' },
    });
    for (const answer of [raw, text]) {
      expect(answer.status).toBe(202);
      const { uploads } = (await answer.json()) as { uploads: [UploadBody] };
      expect((await sluice.client.settled(uploads[0].id)).state).toBe('ready');
    }
    expect(
      (await sluice.client.query({ query: 'quokka marsupial', k: 1 })).results[0]?.document.external_id,
    ).toBe('raw');
    expect((await sluice.client.query({ query: 'zyzzyva weevil', k: 1 })).results[0]?.document.name).toBe(
      'weevil',
    );
  });

  test('a new version replaces the old one at once, and a write is never hidden by the cache (HKUDS/LightRAG#755)', async () => {
    const ask = () => sluice.client.query({ query: 'colour of the gate', k: 50, filter: { doc: 'gate' } });
    const fields = { external_id: 'gate', metadata: '{"doc":"gate"}' };
    const first = await sluice.client.upload(
      'gate.txt',
      'The gate is painted red.\n\nIt opens at nine.',
      fields,
    );
    expect((await ask()).results.map(({ text }) => text).join()).toContain('red');
    expect((await ask()).answer.cached).toBe('memory');
    const second = await sluice.client.upload(
      'gate.txt',
      'The gate is painted blue.\n\nIt opens at nine.',
      fields,
    );
    expect(second.document_id).toBe(first.document_id);
    const { results, answer } = await ask();
    expect(answer.cached).toBe('none');
    expect(results.map(({ text }) => text).join()).toMatch(/blue/);
    expect(results.map(({ text }) => text).join()).not.toMatch(/red/);
  });

  test('a deleted upload takes its document along', async () => {
    const { id, document_id } = await sluice.client.upload('gone.txt', 'ephemeral mayfly', {
      metadata: '{"doc":"gone"}',
    });
    const ask = () => sluice.client.query({ query: 'mayfly', filter: { doc: 'gone' } });
    expect((await ask()).results).toHaveLength(1);
    expect((await fetch(`${sluice.url}/v1/uploads/${id}`, { method: 'DELETE' })).status).toBe(200);
    expect((await ask()).results).toHaveLength(0);
    expect((await fetch(`${sluice.url}/v1/uploads/${id}`)).status).toBe(404);
    expect((await fetch(`${sluice.url}/v1/documents/${document_id}`)).status).toBe(404);
  });

  test('the event stream ends with the final state', async () => {
    const answer = await sluice.client.post(form({ 'events.txt': 'watch me' }));
    const { uploads } = (await answer.json()) as { uploads: [UploadBody] };
    const stream = await (await fetch(`${sluice.url}${uploads[0].events_url}`)).text();
    const states = [...stream.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data as string).state);
    expect(stream).toContain('event: status');
    expect(states.at(-1)).toBe('ready');
  });

  test('collections have their own distance, storage and dimensions', async () => {
    for (const [name, distance, storage] of [
      ['halves', 'l2', 'halfvec'],
      ['inner', 'inner_product', 'vector'],
    ] as const) {
      const body = { name, distance, storage, embedding: { provider: 'local', dimensions: 128 } };
      expect((await json('/v1/collections', body)).status).toBe(201);
      expect((await json('/v1/collections', body)).status).toBe(409);
      await sluice.client.upload('x.txt', 'alpha beta gamma', { collection: name });
      const { results } = await sluice.client.query({ query: 'beta', collection: name });
      expect(results).toHaveLength(1);
      const collection = await (await fetch(`${sluice.url}/v1/collections/${name}`)).json();
      expect(collection).toMatchObject({ distance, storage, statistics: { documents: 1, chunks: 1 } });
      expect((await fetch(`${sluice.url}/v1/collections/${name}`, { method: 'DELETE' })).status).toBe(200);
      expect((await fetch(`${sluice.url}/v1/collections/${name}`)).status).toBe(404);
    }
  });

  test('a broken document fails for good, with a typed error', async () => {
    const upload = await sluice.client.upload('broken.pdf', '%PDF-1.7\nthis is no PDF at all');
    expect(upload).toMatchObject({
      state: 'failed',
      attempts: 1,
      error: { retryable: false, stage: 'extracting' },
    });
    expect(upload.error?.message).not.toBe('');
  });

  test('the page, the API reference and the queue dashboard are served', async () => {
    for (const path of ['/docs/', '/admin/queues']) {
      const answer = await fetch(`${sluice.url}${path}`);
      expect(answer.headers.get('content-type')).toContain('text/html');
    }
    const queues = await (await fetch(`${sluice.url}/admin/queues/api/queues`)).json();
    expect(queues).toMatchObject({ queues: [{ name: 'ingest-upload' }] });
    const reference = await (await fetch(`${sluice.url}/openapi.json`)).json();
    expect(reference).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
  });
}

describeInModes('one document, end to end', ['embedded', 'postgres-only', 'services'], oneDocumentEndToEnd);
