import type { QualityBody } from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, createClient } from './support/client.ts';
import { startSluice } from './support/running-service.ts';

const exact = { index: 'none', state: 'exact', effort: null, recall_at_10: { recall: 1, low: 1, high: 1 } };

function useSluice(mode: Parameters<typeof startSluice>[0], environment: Record<string, string> = {}) {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  let client: Client;
  beforeAll(async () => {
    sluice = await startSluice(mode, environment);
    client = createClient(sluice.url);
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());
  return {
    upload: (name: string, text: string, options = {}) => client.upload(name, text, options),
    query: (body: object) => client.query(body as never),
    ask: (collection: string, init: RequestInit = {}) =>
      fetch(`${sluice.url}/v1/collections/${collection}/quality`, init),
    async create(name: string) {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ name });
      await fetch(`${sluice.url}/v1/collections`, { method: 'POST', headers, body });
    },
  };
}
const post = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

describeWithServices(['postgres', 'redis'], 'the quality of a collection', () => {
  const sluice = useSluice('services', {
    VECTOR_INDEX_MIN_CHUNKS: '0',
    SEARCH_RECALL_INTERVAL_SECONDS: '0',
  });
  const read = async (name: string) => (await (await sluice.ask(name)).json()) as QualityBody;

  test('is unmeasured at first, then current, then outdated by the next write', async () => {
    await sluice.create('measured');
    expect(await read('measured')).toMatchObject({ state: 'unmeasured', effort: 100, recall_at_10: null });
    // Nothing to compare yet.
    const empty = (await (await sluice.ask('measured', { method: 'POST' })).json()) as QualityBody;
    expect(empty).toMatchObject({ state: 'unmeasured', sample_size: 0 });
    const text = Array.from({ length: 40 }, (_, i) =>
      `Paragraph ${i} about subject ${i % 7}. `.repeat(20),
    ).join('\n\n');
    await sluice.upload('a.txt', text, { collection: 'measured' });
    const answer = await sluice.ask('measured', post({ sample: 20 }));
    const measured = (await answer.json()) as QualityBody;
    expect(measured).toMatchObject({
      index: 'hnsw',
      state: 'current',
      target: 0.99,
      curve: expect.any(Array),
    });
    expect(measured.curve.map(({ effort }) => effort)).toEqual([20, 40, 60, 80, 120, 200, 400]);
    expect(measured.sample_size).toBeGreaterThan(0);
    expect(measured.recall_at_10?.recall).toBeGreaterThan(0.9);
    expect(await read('measured')).toEqual(measured);
    await expect
      .poll(async () => (await sluice.query({ query: 'subject', collection: 'measured' })).answer)
      .toMatchObject({ index: 'hnsw', effort: measured.effort });
    await sluice.upload('b.txt', 'Something else.', { collection: 'measured' });
    expect(await read('measured')).toMatchObject({ ...measured, state: 'outdated' });
  });

  test('of no collection is not found, and a sample that makes no sense is refused', async () => {
    expect((await sluice.ask('nowhere')).status).toBe(404);
    expect((await sluice.ask('nowhere', post({ sample: 5 }))).status).toBe(404);
    for (const body of [{ sample: 0 }, { sample: 501 }, { size: 5 }]) {
      expect((await sluice.ask('measured', post(body))).status).toBe(400);
    }
    expect((await sluice.ask('measured', { method: 'DELETE' })).status).toBe(405);
  });
});

describe('the quality of an embedded collection', () => {
  const sluice = useSluice('embedded');

  test('is that of exact search, measured or not', async () => {
    await sluice.create('small');
    await sluice.upload('a.txt', 'A text.', { collection: 'small' });
    for (const init of [{}, post({ sample: 5 })]) {
      expect(await (await sluice.ask('small', init)).json()).toMatchObject(exact);
    }
    const { answer } = await sluice.query({ query: 'text', collection: 'small' });
    expect(answer).toMatchObject({ index: 'exact', effort: null });
  });
});
