import { describe, expect, test } from 'vitest';
import { createLocalProvider } from '../src/index.ts';
import * as english from './texts/english.ts';
import * as vietnamese from './texts/vietnamese.ts';

const local = createLocalProvider();

function withoutDiacritics(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replaceAll('đ', 'd').replaceAll('Đ', 'D');
}

/** Finds the closest of the texts by cosine, as the database would. */
async function createIndex(
  texts: readonly string[],
): Promise<(query: string) => Promise<string | undefined>> {
  const vectors = await local.embed(texts, { purpose: 'document' });
  return async (query) => {
    const [asked] = await local.embed([query], { purpose: 'query' });
    const scores = vectors.map((vector) =>
      vector.reduce((sum, value, index) => sum + value * asked![index]!, 0),
    );
    return texts[scores.indexOf(Math.max(...scores))];
  };
}

describe.each([
  ['English', english],
  ['Vietnamese', vietnamese],
])('in %s, among hundreds of others', async (_, { passages, others }) => {
  const search = await createIndex([...others, ...passages.map(({ text }) => text)]);

  test.each(passages)('the sentence "$sentence" finds its passage', async ({ text, sentence }) => {
    expect(await search(sentence)).toBe(text);
  });

  test.each(passages)(
    'the question "$question" finds the passage that answers it',
    async ({ text, question }) => {
      expect(await search(question)).toBe(text);
    },
  );

  test.each(passages)(
    'typed without diacritics, "$question" finds it as well',
    async ({ text, sentence, question }) => {
      expect(await search(withoutDiacritics(question))).toBe(text);
      expect(await search(withoutDiacritics(sentence))).toBe(text);
    },
  );
});

test('a passage of 400 tokens is found by one of its sentences', async () => {
  const others = Array.from({ length: 300 }, (_, index) =>
    [0, 1, 2, 3].map((part) => vietnamese.others[(index + part * 71) % 300]).join(' '),
  );
  const long = vietnamese.passages.map(
    ({ text }, index) => `${text} ${vietnamese.others[index * 7]} ${vietnamese.others[index * 13]}`,
  );
  const search = await createIndex([...others, ...long]);
  const found = await Promise.all(vietnamese.passages.map(({ sentence }) => search(sentence)));
  expect(found).toEqual(long);
});
