import type { UploadBody } from '@sluice/contract';
import { createTestDatabase, createTestRedis, describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { form } from './support/client.ts';
import { startLogged } from './support/logged-process.ts';
import { untilReady } from './support/running-service.ts';

describeWithServices(['postgres', 'redis'], 'the lines of a request and of its jobs', () => {
  test('have ids that join, of the job that failed as well (D9)', { timeout: 60_000 }, async () => {
    await using database = await createTestDatabase();
    await using redis = await createTestRedis();
    const environment = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      DB_BUDGET: 'none',
      PORT: '0',
      LOG_LEVEL: 'info',
    };
    await using worker = await startLogged('worker', environment);
    await using gateway = await startLogged('gateway', environment);
    const { url } = gateway.started;
    await untilReady(url);
    const answer = await fetch(`${url}/v1/uploads`, {
      method: 'POST',
      headers: { 'x-request-id': 'join-me' },
      body: form({ 'good.txt': 'Some words.', 'broken.pdf': '%PDF-1.7 and no more' }),
    });
    const { uploads } = (await answer.json()) as { uploads: UploadBody[] };

    const joined = (process: typeof worker) =>
      process.lines().filter(({ request_id: id }) => id === 'join-me');
    await expect.poll(() => joined(worker).length, { timeout: 20_000 }).toBe(2);
    const lineOf = (name: string) => {
      const upload = uploads.find((each) => each.name === name) as UploadBody;
      return { upload_id: upload.id, job_id: upload.id, file: name, duration_ms: expect.any(Number) };
    };
    expect(joined(worker)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ msg: 'job done', outcome: 'ready', ...lineOf('good.txt') }),
        expect.objectContaining({ msg: 'job failed', code: 'broken_document', ...lineOf('broken.pdf') }),
      ]),
    );
    const request = joined(gateway).filter(({ msg }) => msg === 'request');
    expect(request).toMatchObject([{ method: 'POST', path: '/v1/uploads', status: 202 }]);
  });
});
