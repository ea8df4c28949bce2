import { startEmbeddingsServer } from '@sluice/testing';
import { expect, test } from 'vitest';
import { problemOf } from './support/client.ts';
import { startSluice } from './support/running-service.ts';

test('in the embedded mode too, a query whose text is not embedded in time is ended, and so is the request to the provider', {
  timeout: 60_000,
}, async () => {
  await using provider = await startEmbeddingsServer({ dimensions: 64 });
  await using sluice = await startSluice('embedded', {
    EMBEDDING_PROVIDER: 'openai',
    EMBEDDING_MODEL: 'fake',
    EMBEDDING_DIMENSIONS: '64',
    OPENAI_API_KEY: 'test-key',
    OPENAI_BASE_URL: provider.baseUrl,
  });
  const ask = (body: Record<string, unknown>, signal?: AbortSignal) =>
    fetch(`${sluice.url}/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
  provider.failWhen((texts) => (texts.includes('slow') ? { kind: 'stall' } : undefined));

  const problem = await problemOf(await ask({ query: 'slow', timeout_ms: 300 }));
  expect(problem).toMatchObject({ status: 504, code: 'deadline_exceeded' });
  await expect.poll(() => provider.requests[0]?.aborted).toBe(true);

  const leave = new AbortController();
  const left = ask({ query: 'slow' }, leave.signal).catch(() => {});
  await expect.poll(() => provider.requests.length).toBe(2);
  leave.abort();
  await left;
  await expect.poll(() => provider.requests[1]?.aborted).toBe(true);

  expect(await (await ask({ query: 'quick' })).json()).toMatchObject({ results: [] });
});
