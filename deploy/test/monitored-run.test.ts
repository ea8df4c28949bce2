import { runGateway } from '@sluice/gateway';
import { createPool } from '@sluice/pool';
import { migrate } from '@sluice/store';
import {
  createTestRedis,
  describeWithServices,
  type RunningService,
  startPostgres,
  startPrometheus,
  startReplica,
} from '@sluice/testing';
import { runWorker } from '@sluice/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import {
  alertRules,
  panelQueries,
  prometheusConfig,
  prometheusFiles,
  selectorsOf,
} from './monitoring-files.ts';

const key = 'a-key-of-at-least-16-characters';

/** The configuration that ships, with where things are here in place of the names of a compose project. */
function configurationFor(targets: Record<string, string>): string {
  const scrape_configs = prometheusConfig.scrape_configs.map(({ dns_sd_configs, ...job }) => ({
    ...job,
    authorization: { credentials: key },
    static_configs: [{ targets: [new URL(targets[job.job_name] ?? '').host] }],
  }));
  const global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  return stringify({ ...prometheusConfig, global, scrape_configs });
}

describeWithServices(['redis', 'prometheus'], 'a real Prometheus beside a real gateway and worker', () => {
  const stack = new AsyncDisposableStack();
  let prometheus: RunningService;
  let url: string;

  /** How many series an expression gives now. */
  async function count(expr: string): Promise<number> {
    const query = new URLSearchParams({ query: expr });
    const answer = await fetch(`${prometheus.url}/api/v1/query?${query}`);
    const { status, data, error } = (await answer.json()) as {
      status: string;
      error?: string;
      data: { result: unknown[] };
    };
    if (status !== 'success') throw new Error(`${expr}: ${error}`);
    return data.result.length;
  }

  async function send(path: string, body: unknown): Promise<Response> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    return fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async function work(): Promise<void> {
    const headers = { authorization: `Bearer ${key}` };
    for (const [name, text] of Object.entries({
      'fox.txt': 'The quick brown fox.',
      'broken.pdf': '%PDF-1.7 x',
    })) {
      const form = new FormData();
      form.append('file', new File([text], name));
      await fetch(`${url}/v1/uploads`, { method: 'POST', headers, body: form });
    }
    for (let i = 0; i < 3; i += 1) await send('/v1/query', { query: 'a fox' });
    await send('/v1/query', { query: 'a fox', collection: 'nowhere' });
  }

  beforeAll(async () => {
    const primary = stack.use(await startPostgres());
    await using pool = createPool({ connectionString: primary.url, size: 2, maxOverflow: 0 });
    await migrate(pool);
    const replica = stack.use(await startReplica(primary));
    const environment = {
      DATABASE_URL: primary.url,
      REDIS_URL: stack.use(await createTestRedis()).url,
      DB_BUDGET: 'postgres',
      SLUICE_API_KEYS: key,
      LOG_LEVEL: 'silent',
      VECTOR_INDEX_MIN_CHUNKS: '1',
      SHUTDOWN_TIMEOUT_SECONDS: '2',
    };
    const worker = await runWorker({ ...environment, WORKER_PORT: '0' });
    stack.defer(() => worker.stop());
    const gateway = await runGateway({ ...environment, PORT: '0', DATABASE_READ_URLS: replica.url });
    stack.defer(() => gateway.stop());
    url = gateway.url;
    const targets = { 'sluice-gateway': url, 'sluice-worker': worker.url as string };
    const files = { ...prometheusFiles, 'prometheus.yml': configurationFor(targets) };
    prometheus = stack.use(await startPrometheus(files));
    const ready = async () => expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await vi.waitFor(ready, { timeout: 20_000, interval: 100 });
    await work();
    // A rate needs two readings of each process, and the last things to happen are the build of an index and the end of an upload.
    for (const metric of [
      'http_server_request_duration_seconds_count',
      'sluice_search_shed_total',
      'sluice_index_build_duration_seconds_count',
      'sluice_uploads_total{outcome="failed"}',
    ]) {
      const told = async () => expect(await count(`rate(${metric}[1m])`)).toBeGreaterThan(0);
      await vi.waitFor(told, { timeout: 30_000, interval: 200 });
    }
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  test('every process is scraped', async () => {
    expect(await count('up == 1')).toBe(2);
  });

  test('every panel of the dashboard has data', async () => {
    const empty = [];
    for (const { panel, expr } of panelQueries)
      if ((await count(expr)) === 0) empty.push(`${panel}: ${expr}`);
    expect(empty).toEqual([]);
  });

  test('everything that an alert looks at is there', async () => {
    const missing = [];
    for (const { alert, expr } of alertRules) {
      const selectors = selectorsOf(expr);
      expect(selectors.length, alert).toBeGreaterThan(0);
      for (const selector of selectors)
        if ((await count(selector)) === 0) missing.push(`${alert}: ${selector}`);
    }
    expect(missing).toEqual([]);
  });

  test('Prometheus has the rules and evaluates them without an error', async () => {
    const answer = await fetch(`${prometheus.url}/api/v1/rules`);
    const { data } = (await answer.json()) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    };
    const rules = data.groups.flatMap((group) => group.rules);
    expect(rules.map(({ name }) => name)).toEqual(alertRules.map(({ alert }) => alert));
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });
});
