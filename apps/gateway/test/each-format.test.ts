import { beforeAll, expect, test } from 'vitest';
import { oneOfEach } from './support/corpus.ts';
import { describeInModes, type SluiceOfSuite } from './support/in-modes.ts';

function sentences(sluice: SluiceOfSuite): void {
  beforeAll(async () => {
    await Promise.all(oneOfEach.map(({ file }) => sluice.client.uploadFromCorpus(file)));
  }, 60_000);

  test.each(oneOfEach)('a sentence of $file finds the file first', async ({ file, sentence }) => {
    const { results } = await sluice.client.query({ query: sentence, k: 3 });
    expect(results[0]?.document.name).toBe(file);
  });

  test('a filter keeps documents whose metadata does not contain it out', async () => {
    const put = (year: number, tags: string[]) =>
      sluice.client.upload(`${year}.txt`, 'An annual report.', {
        metadata: JSON.stringify({ year, by: { tags } }),
      });
    await Promise.all([put(2023, ['law']), put(2024, ['law', 'vn']), put(2025, [])]);
    const found = async (filter: object) =>
      (await sluice.client.query({ query: 'annual report', k: 50, filter })).results
        .map(({ document }) => document.metadata.year)
        .sort();
    expect(await found({ by: { tags: ['law'] } })).toEqual([2023, 2024]);
    expect(await found({ year: 2025 })).toEqual([2025]);
    expect(await found({ year: '2025' })).toEqual([]);
  });
}

describeInModes('a sentence of each format', ['embedded', 'postgres-only', 'services'], sentences);
