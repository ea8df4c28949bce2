import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from './support/client.ts';
import { oneOfEach } from './support/corpus.ts';
import { type Mode, startSluice } from './support/running-service.ts';

function sentences(mode: Mode): void {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  beforeAll(async () => {
    sluice = await startSluice(mode);
    const client = createClient(sluice.url);
    await Promise.all(oneOfEach.map(({ file }) => client.uploadFromCorpus(file)));
  }, 60_000);
  afterAll(() => sluice?.[Symbol.asyncDispose]());

  test.each(oneOfEach)('a sentence of $file finds the file first', async ({ file, sentence }) => {
    const { results } = await createClient(sluice.url).query({ query: sentence, k: 3 });
    expect(results[0]?.document.name).toBe(file);
  });

  test('a filter keeps documents whose metadata does not contain it out', async () => {
    const client = createClient(sluice.url);
    const put = (year: number, tags: string[]) =>
      client.upload(`${year}.txt`, 'An annual report.', { metadata: JSON.stringify({ year, by: { tags } }) });
    await Promise.all([put(2023, ['law']), put(2024, ['law', 'vn']), put(2025, [])]);
    const found = async (filter: object) =>
      (await client.query({ query: 'annual report', k: 50, filter })).results
        .map(({ document }) => document.metadata.year)
        .sort();
    expect(await found({ by: { tags: ['law'] } })).toEqual([2023, 2024]);
    expect(await found({ year: 2025 })).toEqual([2025]);
    expect(await found({ year: '2025' })).toEqual([]);
  });
}

describe('in the embedded mode', () => sentences('embedded'));
describeWithServices(['postgres'], 'with Postgres only', () => sentences('postgres-only'));
describeWithServices(['postgres', 'redis'], 'with Postgres and Redis', () => sentences('services'));
