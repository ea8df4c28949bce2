import type { UploadBody } from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { runGateway } from '../src/index.ts';
import { createClient, form, problemOf } from './support/client.ts';
import { startServices, untilReady } from './support/running-service.ts';

describeWithServices(['postgres', 'redis'], 'a backlog that is full', () => {
  test('refuses new uploads with when to come back, and takes them again when there is room', async () => {
    await using stack = new AsyncDisposableStack();
    const { environment } = stack.use(await startServices('services'));
    // Nobody works on anything here.
    const gateway = await runGateway({ ...environment, UPLOAD_BACKLOG_LIMIT: '3' });
    stack.defer(() => gateway.stop());
    await untilReady(gateway.url);
    const client = createClient(gateway.url);
    const send = () => client.post(form({ 'a.txt': 'text' }));
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      const answer = await send();
      expect(answer.status).toBe(202);
      ids.push(((await answer.json()) as { uploads: [UploadBody] }).uploads[0].id);
    }
    const status = await (await fetch(`${gateway.url}/v1/uploads/${ids[2]}`)).json();
    expect(status).toMatchObject({ state: 'queued', waiting: { reason: 'next', ahead: 2 } });
    // The count may be a second old.
    await expect.poll(async () => (await send()).status, { timeout: 5_000 }).toBe(429);
    const refused = await send();
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await problemOf(refused)).toMatchObject({ code: 'backlog_full', limit: 3 });
    const list = await fetch(`${gateway.url}/v1/uploads?state=queued`);
    const { uploads } = (await list.json()) as { uploads: UploadBody[] };
    for (const { id } of uploads) {
      const answer = await fetch(`${gateway.url}/v1/uploads/${id}/cancel`, { method: 'POST' });
      expect(answer.status).toBe(200);
      expect(await answer.json()).not.toHaveProperty('waiting');
    }
    expect(uploads.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    await expect.poll(async () => (await send()).status, { timeout: 5_000 }).toBe(202);
  });
});
