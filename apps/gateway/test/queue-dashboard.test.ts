import type { AuditEntryBody, UploadBody } from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shortened } from '../src/routes/queue-dashboard.ts';
import { bearer, createKeyMaker, type KeyMaker } from './support/keys.ts';
import { type Mode, startSluice } from './support/running-service.ts';

const bootstrap = 'a-key-of-sufficient-length';

interface BoardAnswer {
  queues: {
    name: string;
    readOnlyMode: boolean;
    isPaused: boolean;
    jobs: { id: string; data: unknown; externalUrl?: { href: string } }[];
  }[];
}

function dashboard(mode: Mode): void {
  const stack = new AsyncDisposableStack();
  let url: string;
  let keys: KeyMaker;
  let monitor: Record<string, string>;
  let admin: Record<string, string>;
  beforeAll(async () => {
    const sluice = stack.use(await startSluice(mode, { SLUICE_API_KEYS: bootstrap }));
    url = sluice.url;
    keys = stack.use(createKeyMaker(sluice.environment.DATABASE_URL as string));
    // A browser sends a key as a password.
    const basic = async (scope: 'monitor' | 'admin') => ({
      authorization: `Basic ${btoa(`anybody:${(await keys.make({ scopes: [scope] })).key}`)}`,
    });
    monitor = await basic('monitor');
    admin = await basic('admin');
  });
  afterAll(() => stack.disposeAsync());

  const get = (path: string, headers: Record<string, string>) => fetch(`${url}${path}`, { headers });
  async function board(headers: Record<string, string>): Promise<BoardAnswer['queues'][number]> {
    const answer = await get('/admin/queues/api/queues?activeQueue=ingest-upload', headers);
    expect(answer.status).toBe(200);
    return ((await answer.json()) as BoardAnswer).queues[0] as BoardAnswer['queues'][number];
  }
  const put = (path: string, headers: Record<string, string>) =>
    fetch(`${url}/admin/queues/api/queues/ingest-upload${path}`, { method: 'PUT', headers });

  test('has its buttons for who may use them only', async () => {
    await expect.poll(async () => (await get('/admin/queues', monitor)).status, { timeout: 5_000 }).toBe(200);
    await expect.poll(async () => (await get('/admin/queues', admin)).status, { timeout: 5_000 }).toBe(200);
    expect((await board(monitor)).readOnlyMode).toBe(true);
    expect((await board(admin)).readOnlyMode).toBe(false);
    expect((await put('/pause', monitor)).status).toBe(403);
    expect((await board(monitor)).isPaused).toBe(false);
  });

  test('tells the audit log what was changed in it', async () => {
    expect((await put('/pause', admin)).status).toBe(200);
    expect((await board(monitor)).isPaused).toBe(true);
    expect((await put('/resume', admin)).status).toBe(200);
    const audited = async () => {
      const answer = await get('/v1/audit?action=queue.change', bearer(bootstrap));
      return ((await answer.json()) as { entries: AuditEntryBody[] }).entries;
    };
    await expect.poll(async () => (await audited()).length, { timeout: 5_000 }).toBe(2);
    const entries = await audited();
    expect(entries.map(({ target }) => target)).toEqual([
      '/api/queues/ingest-upload/resume',
      '/api/queues/ingest-upload/pause',
    ]);
    expect(entries[0]).toMatchObject({ details: { method: 'PUT', status: 200 }, key_name: 'of a test' });
  });

  test('leads from a job to its upload, and from an upload to its job', async () => {
    const answer = await fetch(`${url}/v1/uploads`, {
      method: 'POST',
      headers: { ...bearer(bootstrap), 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'A text with a job.' }),
    });
    const { uploads } = (await answer.json()) as { uploads: [UploadBody] };
    const { id, job_url: jobUrl } = uploads[0];
    expect(jobUrl).toBe(`/admin/queues/queue/ingest-upload/${id}`);
    expect((await get(jobUrl, monitor)).status).toBe(200);
    await expect
      .poll(async () => (await get(`/admin/queues/api/queues/ingest-upload/${id}`, monitor)).status, {
        timeout: 10_000,
      })
      .toBe(200);
    const job = (await (await get(`/admin/queues/api/queues/ingest-upload/${id}`, monitor)).json()) as {
      job: BoardAnswer['queues'][number]['jobs'][number];
    };
    expect(job.job.data).toMatchObject({ uploadId: id });
    const link = job.job.externalUrl?.href as string;
    expect(((await (await get(link, bearer(bootstrap))).json()) as UploadBody).id).toBe(id);
    // Who follows it in a browser is asked for a key by the browser, or has given it already.
    const browser = await get(link, { accept: 'text/html,*/*' });
    expect([browser.status, browser.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Basic realm=/),
    ]);
  });
}

describeWithServices(['postgres', 'redis'], 'the queue dashboard, on Redis', () => dashboard('services'));
describeWithServices(['postgres'], 'the queue dashboard, on Postgres', () => dashboard('postgres-only'));

describe('a value in the dashboard', () => {
  test('is shown as it is when it is small', () => {
    for (const value of [{ uploadId: 'x' }, null, undefined, 7, 'text'])
      expect(shortened(value)).toEqual(value);
  });

  test('is cut off when it is not', () => {
    const shown = shortened({ text: 'x'.repeat(5_000) }) as string;
    expect(shown.length).toBeLessThan(1_100);
    expect(shown).toMatch(/^\{"text":"x+ … \(5011 characters\)$/);
  });
});
