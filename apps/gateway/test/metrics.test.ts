import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from './support/client.ts';
import { watchDatabase } from './support/held-chunks.ts';
import { readMetrics, sumOf } from './support/metrics.ts';
import { startSluice } from './support/running-service.ts';

describeWithServices(['postgres', 'redis'], 'metrics', () => {
  let sluice: Awaited<ReturnType<typeof startSluice>>;

  beforeAll(async () => {
    sluice = await startSluice('services');
    await createClient(sluice.url).upload('fox.txt', 'The quick brown fox jumps.');
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());

  const ask = (body: Record<string, unknown>, signal?: AbortSignal) =>
    fetch(`${sluice.url}/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });

  test('count queries by how they ended', async () => {
    await ask({ query: 'fox' });
    await ask({ query: 'fox' });
    await ask({ query: 'fox', collection: 'nowhere' });
    {
      await using onlooker = watchDatabase(sluice.environment.DATABASE_URL as string);
      await using _ = await onlooker.holdChunks();
      await ask({ query: 'a late fox', timeout_ms: 100 });
      const leave = new AbortController();
      const left = ask({ query: 'a fox that is left' }, leave.signal).catch(() => {});
      await expect.poll(() => onlooker.held()).toBe(1);
      leave.abort();
      await left;
      await expect.poll(() => onlooker.held()).toBe(0);
    }
    const metrics = await readMetrics(sluice.url);
    const requests = (labels: string) => sumOf(metrics, 'sluice_search_requests_total', labels);
    expect(requests('outcome="ok",cached="none",mode="vector"')).toBe(1);
    expect(requests('outcome="ok",cached="memory",mode="vector"')).toBe(1);
    expect(requests('outcome="refused"')).toBe(1);
    expect(requests('outcome="deadline_exceeded"')).toBe(1);
    expect(requests('outcome="cancelled"')).toBe(1);
    expect(sumOf(metrics, 'sluice_search_deadline_exceeded_total')).toBe(1);
    expect(sumOf(metrics, 'sluice_search_cancelled_total')).toBe(1);
    expect(sumOf(metrics, 'sluice_search_shed_total')).toBe(0);
    expect(sumOf(metrics, 'sluice_search_duration_seconds_count')).toBe(5);
    expect(sumOf(metrics, 'sluice_cache_requests_total', 'level="memory",kind="answer",result="hit"')).toBe(
      1,
    );
    expect(sumOf(metrics, 'db_client_connection_max')).toBeGreaterThanOrEqual(3);
    expect(sumOf(metrics, 'db_client_connection_count', 'state="idle"')).toBeGreaterThan(0);
    expect(sumOf(metrics, 'db_client_connection_pending_requests', 'lane="interactive"')).toBe(0);
  });

  test('are read by GET only, in the text format of Prometheus', async () => {
    const answer = await fetch(`${sluice.url}/metrics`);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect((await fetch(`${sluice.url}/metrics`, { method: 'POST' })).status).toBe(405);
  });
});
