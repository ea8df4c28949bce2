import type { UploadBody } from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { runWorker } from '@sluice/worker';
import { expect, test } from 'vitest';
import { runGateway } from '../src/index.ts';
import { createClient, form } from './support/client.ts';
import { startServices, untilReady } from './support/running-service.ts';

describeWithServices(['postgres', 'redis'], 'an upload, whatever its state', () => {
  test('can be seen, says why, and can be deleted (ogx-ai/ogx#5565, SciPhi-AI/R2R#2222, SciPhi-AI/R2R#1159)', {
    timeout: 60_000,
  }, async () => {
    await using stack = new AsyncDisposableStack();
    const services = stack.use(await startServices('services'));
    const gateway = await runGateway(services.environment);
    stack.defer(() => gateway.stop());
    await untilReady(gateway.url);
    const client = createClient(gateway.url);
    const get = async (path: string) => await (await fetch(`${gateway.url}${path}`)).json();
    const listed = async () => {
      const { uploads } = (await get('/v1/uploads')) as { uploads: UploadBody[] };
      return Object.fromEntries(uploads.map((upload) => [upload.name, upload]));
    };
    const accepted = await client.post(
      form({ 'good.txt': 'Something to read.', 'bad.pdf': '%PDF-1.7\nthis is no PDF', 'empty.txt': '  ' }),
    );
    const { uploads } = (await accepted.json()) as { uploads: UploadBody[] };

    expect(Object.values(await listed()).map(({ state }) => state)).toEqual(['queued', 'queued', 'queued']);
    for (const { id } of uploads)
      expect(await get(`/v1/uploads/${id}`)).toMatchObject({
        state: 'queued',
        waiting: { detail: expect.stringMatching(/./) },
      });

    const worker = await runWorker(services.environment);
    stack.defer(() => worker.stop());
    for (const { id } of uploads) await client.settled(id);
    expect(await listed()).toMatchObject({
      'good.txt': { state: 'ready', error: null },
      'bad.pdf': { state: 'failed', error: { code: 'broken_document', stage: 'extracting' } },
      'empty.txt': { state: 'failed', error: { code: 'no_text', stage: 'extracting' } },
    });

    for (const { id } of uploads) {
      const path = `/v1/uploads/${id}`;
      expect((await fetch(`${gateway.url}${path}`, { method: 'DELETE' })).status).toBe(200);
      expect((await fetch(`${gateway.url}${path}`)).status).toBe(404);
    }
    expect([await listed(), await get('/v1/documents')]).toMatchObject([{}, { documents: [] }]);
    expect(await listed()).toEqual({});
  });
});
