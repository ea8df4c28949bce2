import { createProducer, ingestUploadJob } from '@sluice/queue';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LoggedProcess, startLogged } from './support/logged-process.ts';
import { startServices, untilReady } from './support/running-service.ts';
import { startTraceReceiver, type TraceReceiver } from './support/trace-receiver.ts';

const secretText = 'Zwiebelfisch 4711';
const trace = '0af7651916cd43dd8448eb211c80319c';

describeWithServices(['postgres', 'redis'], 'traces', () => {
  const stack = new AsyncDisposableStack();
  let receiver: TraceReceiver;
  let gateway: LoggedProcess;
  let worker: LoggedProcess;

  const spansOf = (traceId: string) => receiver.spans.filter((span) => span.traceId === traceId);
  const named = (traceId: string, name: string) => spansOf(traceId).filter((span) => span.name === name);

  async function upload(headers: Record<string, string> = {}): Promise<string> {
    const form = new FormData();
    form.append('file', new File([`${secretText} says hello.`], 'secret-name.txt'));
    const answer = await fetch(`${gateway.started.url}/v1/uploads`, { method: 'POST', headers, body: form });
    const { uploads } = (await answer.json()) as { uploads: { id: string }[] };
    return uploads[0]?.id as string;
  }

  beforeAll(async () => {
    receiver = stack.use(await startTraceReceiver());
    const services = stack.use(await startServices('services'));
    const environment = {
      ...services.environment,
      LOG_LEVEL: 'info',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20of-the-receiver',
    };
    worker = stack.use(await startLogged('worker', environment));
    gateway = stack.use(await startLogged('gateway', environment));
    await untilReady(gateway.started.url);
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  test('one trace joins the request, its job, and the SQL of both', async () => {
    const parent = `00-${trace}-b7ad6b7169203331-01`;
    const id = await upload({ traceparent: parent, 'x-request-id': 'req-of-the-trace' });
    await expect.poll(() => named(trace, 'process ingest-upload').length, { timeout: 15_000 }).toBe(1);
    await expect.poll(() => named(trace, 'POST /v1/uploads').length, { timeout: 15_000 }).toBe(1);
    const [request] = named(trace, 'POST /v1/uploads');
    const [added] = named(trace, 'addBulk ingest-upload');
    const [job] = named(trace, 'process ingest-upload');
    expect(request).toMatchObject({
      service: 'sluice-gateway',
      kind: 2,
      parentSpanId: 'b7ad6b7169203331',
      attributes: {
        'http.route': '/v1/uploads',
        'http.response.status_code': 202,
        'sluice.request_id': 'req-of-the-trace',
      },
    });
    expect(added).toMatchObject({ service: 'sluice-gateway', kind: 4, parentSpanId: request?.spanId });
    expect(job).toMatchObject({
      service: 'sluice-worker',
      kind: 5,
      parentSpanId: added?.spanId,
      attributes: {
        'bullmq.job.id': id,
        'sluice.upload_id': id,
        'sluice.request_id': 'req-of-the-trace',
        'sluice.outcome': 'ready',
        'sluice.chunks': 1,
        'sluice.stage.embedding_ms': expect.any(Number),
      },
    });
    const statements = (parentSpanId: string | undefined) =>
      spansOf(trace).filter(
        (span) => span.parentSpanId === parentSpanId && span.name.startsWith('postgres '),
      );
    expect(statements(request?.spanId).length).toBeGreaterThan(1);
    expect(statements(job?.spanId).length).toBeGreaterThan(1);
    expect(statements(job?.spanId).map(({ name }) => name)).toContain('postgres copy');
    expect(statements(job?.spanId)[0]?.attributes).toMatchObject({
      'db.system.name': 'postgresql',
      'sluice.lane': 'bulk',
    });
  });

  test('lines of the log have the ids of the trace, of the request, of the upload and of the job', async () => {
    const id = await upload({ 'x-request-id': 'req-of-the-log' });
    const done = () => worker.lines().find((line) => line.msg === 'job done' && line.upload_id === id);
    await expect.poll(done, { timeout: 15_000 }).toBeDefined();
    const request = () =>
      gateway.lines().find((line) => line.msg === 'request' && line.request_id === 'req-of-the-log');
    await expect.poll(request).toBeDefined();
    expect(done()).toMatchObject({ job_id: id, request_id: 'req-of-the-log', trace_id: request()?.trace_id });
    expect(request()).toMatchObject({ path: '/v1/uploads', status: 202 });
    expect(request()?.trace_id).toMatch(/^[0-9a-f]{32}$/);
  });

  test('nothing of a document, of a query or of a parameter is in a span', async () => {
    const answer = await fetch(`${gateway.started.url}/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: secretText, mode: 'text', filter: { owner: secretText } }),
    });
    expect(answer.status).toBe(200);
    await expect
      .poll(() => receiver.spans.some(({ name }) => name === 'POST /v1/query'), { timeout: 15_000 })
      .toBe(true);
    expect(receiver.bodies.join('\n')).toContain('db.query.text');
    expect(receiver.bodies.join('\n')).not.toMatch(/Zwiebelfisch|4711|secret-name/);
  });

  test('probes are no traces, and neither is a queue that looks for work', async () => {
    const routes = receiver.spans.map(({ attributes }) => attributes['http.route']);
    expect(routes).not.toContain('/readyz');
    const roots = receiver.spans.filter(({ parentSpanId }) => !parentSpanId);
    expect(roots.some(({ kind }) => kind === 2)).toBe(true);
    // What the reconciler enqueues, which it may do on a slow machine, is nobody's request.
    const others = roots.filter(
      ({ kind, service }) => !(kind === 2 || (kind === 4 && service === 'sluice-worker')),
    );
    expect(others).toEqual([]);
  });

  test('the receiver gets the headers that it wants', () => {
    expect(new Set(receiver.authorizations)).toEqual(new Set(['Bearer of-the-receiver']));
  });
});

describeWithServices(['postgres', 'redis'], 'the trace of an upload whose job was lost', () => {
  test('goes on with the job that the reconciler makes', { timeout: 60_000 }, async () => {
    await using receiver = await startTraceReceiver();
    await using services = await startServices('services');
    const environment = { ...services.environment, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint };
    await using gateway = await startLogged('gateway', environment);
    await untilReady(gateway.started.url);
    const form = new FormData();
    form.append('file', new File(['It is forgotten once.'], 'a.txt'));
    const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01` };
    const answer = await fetch(`${gateway.started.url}/v1/uploads`, { method: 'POST', headers, body: form });
    const { uploads } = (await answer.json()) as { uploads: { id: string }[] };
    const url = services.environment.REDIS_URL as string;
    await using queue = createProducer({ kind: 'redis', url });
    const lose = () => queue.remove(ingestUploadJob, uploads[0]?.id as string);
    await expect.poll(lose, { timeout: 10_000 }).toBe(true);
    await using _ = await startLogged('worker', environment);
    const find = (name: string) =>
      receiver.spans.find((span) => span.traceId === trace && span.name === name);
    await expect.poll(() => find('process ingest-upload'), { timeout: 20_000 }).toBeDefined();
    await expect.poll(() => find('POST /v1/uploads'), { timeout: 20_000 }).toBeDefined();
    expect(find('process ingest-upload')?.parentSpanId).toBe(find('POST /v1/uploads')?.spanId);
  });
});
