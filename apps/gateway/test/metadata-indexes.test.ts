import type { CollectionBody } from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, createClient, problemOf } from './support/client.ts';
import { type Mode, startSluice } from './support/running-service.ts';

function metadataIndexes(mode: Mode): void {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  let client: Client;
  beforeAll(async () => {
    sluice = await startSluice(mode);
    client = createClient(sluice.url);
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());

  const send = (method: string, path: string, body: unknown) =>
    fetch(`${sluice.url}/v1/collections${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const statesOf = async (name: string) => {
    const body = (await (await fetch(`${sluice.url}/v1/collections/${name}`)).json()) as CollectionBody;
    return body.metadata_indexes.map(({ field, state }) => `${field} ${state}`);
  };

  test('are declared with a collection or later, and filters find the same with them', async () => {
    const name = 'cases';
    const year = { field: 'year', type: 'number' };
    expect((await send('POST', '', { name, metadata_indexes: [year] })).status).toBe(201);
    expect(await statesOf(name)).toEqual(['year ready']);
    for (const [i, decided] of ['2024-01-31', '2024-02-01T00:30:00+07:00', 'soon'].entries()) {
      const metadata = JSON.stringify({ year: 2020 + i, court: { decided } });
      await client.upload(`${i}.txt`, `Case ${i}.`, { collection: name, metadata });
    }
    const find = async (filter: Record<string, unknown>) => {
      const { results } = await client.query({ query: 'case', collection: name, filter });
      return results.map(({ document }) => document.name).sort();
    };
    const before = { court: { decided: { $lt: { $date: '2024-02-01' } } } };
    expect(await find({ year: { $gt: 2020 } })).toEqual(['1.txt', '2.txt']);
    expect(await find(before)).toEqual(['0.txt', '1.txt']);
    const decided = { field: 'court.decided', type: 'datetime' };
    const answer = await send('PATCH', `/${name}`, { metadata_indexes: [decided, year] });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ metadata_indexes: [decided, { ...year, state: 'ready' }] });
    await expect
      .poll(() => statesOf(name), { timeout: 20_000 })
      .toEqual(['court.decided ready', 'year ready']);
    expect(await find(before)).toEqual(['0.txt', '1.txt']);
    expect(await find({ ...before, year: 2021 })).toEqual(['1.txt']);
  });

  test('that make no sense are refused, and so are those of no collection', async () => {
    for (const metadata_indexes of [
      'year',
      [{ field: "a'b", type: 'text' }],
      [{ field: 'a..b', type: 'text' }],
      [{ field: 'a', type: 'int' }],
      [
        { field: 'a', type: 'text' },
        { field: 'a', type: 'text' },
      ],
      Array.from({ length: 17 }, (_, i) => ({ field: `f${i}`, type: 'text' })),
    ]) {
      const answer = await send('PATCH', '/default', { metadata_indexes });
      expect(answer.status).toBe(400);
      expect((await problemOf(answer)).detail).toMatch(/^\/metadata_indexes/);
    }
    expect((await send('PATCH', '/default', {})).status).toBe(400);
    expect((await send('PATCH', '/nowhere', { metadata_indexes: [] })).status).toBe(404);
  });
}

describe('indexes on metadata in the embedded mode', () => metadataIndexes('embedded'));
describeWithServices(['postgres', 'redis'], 'indexes on metadata with Postgres and Redis', () =>
  metadataIndexes('services'),
);
