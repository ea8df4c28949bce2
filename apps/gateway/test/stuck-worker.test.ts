import { databaseStatsSchema, poolReportSchema, type UploadBody } from '@sluice/contract';
import { describeWithServices, startEmbeddingsServer } from '@sluice/testing';
import { expect, test } from 'vitest';
import { startSluice } from './support/running-service.ts';

describeWithServices(['postgres', 'redis'], 'a worker that is stuck', () => {
  test('is named to operators, and to who asks why an upload waits (langfuse/langfuse#15509)', async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64 });
    provider.failWhen(() => ({ kind: 'stall' }));
    await using sluice = await startSluice('services', {
      EMBEDDING_PROVIDER: 'openai',
      EMBEDDING_MODEL: 'fake',
      EMBEDDING_DIMENSIONS: '64',
      OPENAI_API_KEY: 'test',
      OPENAI_BASE_URL: provider.baseUrl,
      WORKER_CONCURRENCY: '1',
      WORKER_STUCK_SECONDS: '1',
      SHUTDOWN_TIMEOUT_SECONDS: '1',
    });
    const get = async (path: string) => (await fetch(`${sluice.url}${path}`)).json();
    const send = async (name: string) => {
      const answer = await fetch(`${sluice.url}/v1/uploads?name=${name}`, { method: 'POST', body: name });
      return ((await answer.json()) as { uploads: [UploadBody] }).uploads[0];
    };
    const first = await send('first.txt');
    await expect
      .poll(async () => ((await get(first.status_url)) as UploadBody).state, { timeout: 10_000 })
      .toBe('processing');
    const second = await send('second.txt');

    const report = async () => poolReportSchema.parse(await get('/monitoring/pool-status')).replicas;
    await expect
      .poll(async () => (await report()).find(({ role }) => role === 'worker')?.work, { timeout: 20_000 })
      .toMatchObject({ healthy: false, active: 1, detail: expect.stringContaining(first.id) });
    await expect
      .poll(
        async () => {
          const stats = databaseStatsSchema.parse(await get('/monitoring/database-stats'));
          return stats.recommendations.filter(({ id }) => id === 'worker_stuck');
        },
        { timeout: 20_000 },
      )
      .toMatchObject([{ severity: 'critical', evidence: { active: 1, state: 'running' } }]);
    expect(await get(second.status_url)).toMatchObject({
      state: 'queued',
      waiting: { reason: 'workers_stuck', detail: expect.stringContaining('restart them') },
    });
  });
});
