import type { AnswerBody, CollectionBody } from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, createClient, problemOf } from './support/client.ts';
import { type Mode, startSluice } from './support/running-service.ts';

function textSearch(mode: Mode): void {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  let client: Client;
  beforeAll(async () => {
    sluice = await startSluice(mode);
    client = createClient(sluice.url);
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());

  const send = (method: string, path: string, body: unknown) =>
    fetch(`${sluice.url}/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const names = ({ results }: AnswerBody) => results.map(({ document }) => document.name);

  test('a query finds by words, or by words and meaning, and says how', async () => {
    await client.upload('law.txt', 'Luật Đấu thầu quy định việc mở thầu.');
    await client.upload('plain.txt', 'Dau thau qua mang.');
    await client.upload('otter.txt', 'Otters live in rivers.');
    const exact = await client.query({ query: '"đấu thầu"', mode: 'text' });
    expect(names(exact)).toEqual(['law.txt', 'plain.txt']);
    expect(exact.results[0]?.distance).toBeNull();
    const text_index = mode === 'embedded' ? 'exact' : expect.stringMatching(/gin|exact/);
    expect(exact.answer).toMatchObject({ mode: 'text', text_index, timings: { embed_ms: 0 } });
    expect(names(await client.query({ query: 'thau -mang', mode: 'text' }))).toEqual(['law.txt']);
    expect((await client.query({ query: 'badger', mode: 'text' })).results).toEqual([]);
    const both = await client.query({
      query: 'where do otters live?',
      mode: 'hybrid',
      hybrid: { text_weight: 2 },
      k: 1,
    });
    expect(names(both)).toEqual(['otter.txt']);
    expect(both.results[0]?.score).toBeCloseTo(3 / 61, 10);
    expect(both.answer).toMatchObject({ mode: 'hybrid', text_index });
  });

  test('a vector has no words, and weights are for hybrid', async () => {
    for (const body of [
      { vector: [1, 2], mode: 'text' },
      { queries: [{ query: 'a' }, { vector: [1] }], mode: 'hybrid' },
      { query: 'a', hybrid: { text_weight: 2 } },
      { query: 'a', mode: 'hybrid', hybrid: { vector_weight: 0, text_weight: 0 } },
      { query: 'a', mode: 'words' },
    ]) {
      expect((await send('POST', '/query', body)).status, JSON.stringify(body)).toBe(400);
    }
  });

  test('a collection without words refuses, until they were made after it was turned on', async () => {
    const name = 'quiet';
    expect((await send('POST', '/collections', { name, text_search: false })).status).toBe(201);
    await client.upload('a.txt', 'Otters live in rivers.', { collection: name });
    const question = { query: 'otters', mode: 'text', collection: name };
    const refused = await send('POST', '/query', question);
    expect(refused.status).toBe(409);
    expect(await problemOf(refused)).toMatchObject({ code: 'text_search_unavailable', text_index: 'off' });
    expect((await send('PATCH', `/collections/${name}`, {})).status).toBe(400);
    const changed = await send('PATCH', `/collections/${name}`, { text_search: true });
    expect(changed.status).toBe(200);
    expect(((await changed.json()) as CollectionBody).text_index).toBe('filling');
    await expect
      .poll(async () => (await send('POST', '/query', question)).status, { timeout: 20_000 })
      .toBe(200);
    expect(names(await client.query(question))).toEqual(['a.txt']);
  });
}

describeWithServices(['postgres', 'redis'], 'text search by services', () => textSearch('services'));
describe('text search embedded', () => textSearch('embedded'));
