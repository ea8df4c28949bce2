import { describeWithServices, promtool } from '@sluice/testing';
import { runWorker } from '@sluice/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGateway } from '../src/index.ts';
import { createClient } from './support/client.ts';
import { readMetrics } from './support/metrics.ts';
import { startServices, untilReady } from './support/running-service.ts';

// OpenTelemetry's name, of which promtool thinks that it ends like a histogram's.
const otelName = /\bdb_client_connection_count\b/g;

/** Paths that could become labels if somebody were careless. */
function hostilePaths(count: number): string[] {
  const shapes = [
    (i: number) => `/v1/uploads/${i}-${'x'.repeat(i % 50)}`,
    (i: number) => `/V1/Uploads/${i}/events`,
    (i: number) => `/v1/documents/%00${i}`,
    (i: number) => `/v1/collections/"},evil{a="${i}"/quality`,
    (i: number) => `/${i}/v1/uploads/${i}`,
    (i: number) => `/v1//uploads//${i}`,
    (i: number) => `/v1/uploads/${i}/../../${i}`,
    (i: number) => `/%76%31/uploads/${i}%2f${i}`,
    (i: number) => `/admin/queues/${i}/a/b/c`,
    (i: number) => `/assets/${i}.js?${i}=${i}`,
    (i: number) => `/healthz/${i}`,
  ];
  return Array.from({ length: count }, (_, i) => shapes[i % shapes.length]?.(i) ?? '/');
}

describeWithServices(['postgres', 'redis', 'prometheus'], 'the metrics of gateway and worker', () => {
  const stack = new AsyncDisposableStack();
  let gateway: Awaited<ReturnType<typeof runGateway>>;
  let worker: Awaited<ReturnType<typeof runWorker>>;

  const textOf = async (url: string | undefined) => (await fetch(`${url}/metrics`)).text();

  beforeAll(async () => {
    const { environment } = stack.use(await startServices('services'));
    worker = await runWorker({ ...environment, WORKER_PORT: '0' });
    stack.defer(() => worker.stop());
    gateway = await runGateway(environment);
    stack.defer(() => gateway.stop());
    await untilReady(gateway.url);
    const client = createClient(gateway.url);
    await client.upload('fox.txt', 'The quick brown fox jumps.');
    await client.upload('broken.pdf', '%PDF-1.7 nothing');
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  test('have a sound name, a unit and a help each, says promtool', async () => {
    for (const url of [gateway.url, worker.url]) {
      const text = await textOf(url);
      const renamed = text.replaceAll(otelName, 'db_client_connections');
      expect(await promtool(['check', 'metrics'], { 'stdin.txt': renamed })).toBe('');
      const named = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
      const helped = [...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => name);
      expect(helped).toEqual(named);
      expect(named.length).toBeGreaterThan(50);
    }
  });

  test('tell what happened: how the two uploads ended, in which stages, and in which pool', async () => {
    await expect
      .poll(async () =>
        (await readMetrics(worker.url as string)).get('sluice_uploads_total{outcome="ready",code=""}'),
      )
      .toBe(1);
    const text = await textOf(worker.url);
    expect(text).toMatch(/^sluice_uploads_total\{outcome="failed",code="broken_document"\} 1$/m);
    expect(text).toMatch(/^sluice_upload_stage_duration_seconds_count\{stage="embedding"\} [1-9]/m);
    expect(text).toMatch(/^sluice_ingested_bytes_total 26$/m);
    expect(text).toMatch(/^sluice_dependency_up\{dependency="queue"\} 1$/m);
    expect(text).toMatch(
      /^messaging_process_duration_seconds_count\{messaging_system="bullmq",messaging_destination_name="ingest-upload",outcome="done",error_type=""\} 1$/m,
    );
    for (const kind of ['wait', 'use'])
      expect(text).toMatch(
        new RegExp(
          `^db_client_connection_${kind}_time_seconds_count\\{db_client_connection_pool_name="primary",lane="bulk"\\} [1-9]`,
          'm',
        ),
      );
    expect(await textOf(gateway.url)).toMatch(
      /^http_server_request_duration_seconds_count\{http_request_method="POST",http_route="\/v1\/uploads",http_response_status_code="202"\} 2$/m,
    );
  });

  test('stay as many, however many requests there are to whatever paths', async () => {
    const send = async (path: string, i: number) => {
      const method = ['GET', 'DELETE', 'PUT'][i % 3] as string;
      const answer = await fetch(`${gateway.url}${path}`, { method }).catch(() => undefined);
      await answer?.arrayBuffer();
    };
    const paths = hostilePaths(440);
    for (const [i, path] of paths.slice(0, 66).entries()) await send(path, i);
    const before = new Set((await readMetrics(gateway.url)).keys());
    for (const [i, path] of paths.slice(66).entries()) await send(path, i + 66);
    const after = [...(await readMetrics(gateway.url)).keys()];
    const added = after.filter((sample) => !before.has(sample) && !sample.includes('_gc_'));
    expect(added).toEqual([]);
    const routes = new Set(after.flatMap((sample) => /http_route="([^"]*)"/.exec(sample)?.[1] ?? []));
    expect([...routes].sort()).toEqual(
      [
        '/*',
        '/admin/queues/*',
        '/readyz',
        '/metrics',
        '/v1/collections/:name/quality',
        '/v1/documents/:id',
        '/v1/uploads',
        '/v1/uploads/:id',
        '/v1/uploads/:id/events',
      ].sort(),
    );
  });
});
