import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLocalProvider } from '../src/index.ts';

const local = createLocalProvider();

async function vectorOf(text: string): Promise<Float32Array> {
  const [vector] = await local.embed([text], { purpose: 'document' });
  return vector as Float32Array;
}

async function cosine(first: string, second: string): Promise<number> {
  const [a, b] = await Promise.all([vectorOf(first), vectorOf(second)]);
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

function fingerprint(vectors: readonly Float32Array[]): string {
  const hash = createHash('sha256');
  for (const vector of vectors)
    for (const value of vector) hash.update(new Uint8Array(Float32Array.of(value).buffer));
  return hash.digest('hex').slice(0, 16);
}

/** Vectors of this model are stored in databases. When this fails, the change needs a new model name, not a new value here. */
test('gives the same text the same bits forever', async () => {
  const texts = [
    '',
    '!!!',
    'the',
    'Procurement of goods, works and services',
    'Luật Đấu thầu số 22/2023/QH15 quy định về lựa chọn nhà thầu',
    'luat dau thau so 22/2023/qh15 quy dinh ve lua chon nha thau',
    'ĐẤU THẦU đấu thầu Đấu Thầu',
    '政府調達 ราชการ',
    'word '.repeat(500),
  ];
  expect(local.model).toBe('local-ngram-v1');
  expect(fingerprint(await local.embed(texts, { purpose: 'document' }))).toMatchInlineSnapshot(
    `"3c220de72e446340"`,
  );
  const small = createLocalProvider({ dimensions: 64 });
  expect(fingerprint(await small.embed(texts, { purpose: 'query' }))).toMatchInlineSnapshot(
    `"2382cf2f35304e93"`,
  );
});

test('whatever the text, the vector has unit length and the wanted dimensions', async () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.lorem({ maxCount: 60 }));
  await fc.assert(
    fc.asyncProperty(text, async (each) => {
      const vector = await vectorOf(each);
      expect(vector).toHaveLength(384);
      expect(Math.abs(Math.hypot(...vector) - 1)).toBeLessThan(1e-5);
    }),
  );
});

test.each(['', '   ', '?!…', '🎉🎉', '\0'])(
  'a text without words (%j) has a vector as well',
  async (text) => {
    expect(Math.hypot(...(await vectorOf(text)))).toBeCloseTo(1);
    expect(await vectorOf(text)).toEqual(await vectorOf(''));
  },
);

test('a vector depends neither on what was embedded before nor on the company it came in', async () => {
  const text = 'Đấu thầu rộng rãi là hình thức thông thường.';
  const fresh = await createLocalProvider().embed(['other words first', text, text], { purpose: 'query' });
  expect(fresh[1]).toEqual(await vectorOf(text));
  expect(fresh[2]).toEqual(fresh[1]);
});

test('composed and decomposed diacritics, upper and lower case and punctuation make no difference', async () => {
  const text = 'Đấu thầu qua mạng quốc gia';
  expect(await vectorOf(text.normalize('NFD'))).toEqual(await vectorOf(text));
  expect(await vectorOf(`«${text.toUpperCase()}»!`)).toEqual(await vectorOf(text));
});

test('the exact spelling is closest, then none at all, then another word that looks the same without diacritics', async () => {
  const text = 'đấu thầu';
  expect(await cosine(text, 'đấu thầu')).toBeGreaterThan(await cosine(text, 'dau thau'));
  expect(await cosine(text, 'dau thau')).toBeGreaterThan(0.8);
  expect(await cosine(text, 'dau thau')).toBeGreaterThan(await cosine(text, 'dầu thâu'));
  expect(await cosine(text, 'dầu thâu')).toBeGreaterThan(await cosine(text, 'con mèo'));
});

test('other forms of a word are closer than other words', async () => {
  expect(await cosine('procurement', 'procuring')).toBeGreaterThan(
    (await cosine('procurement', 'lighthouse')) + 0.1,
  );
});

test('the order of syllables counts', async () => {
  const text = 'nhà thầu nước ngoài';
  expect(await cosine(text, 'nhà thầu nước ngoài')).toBeGreaterThan(
    (await cosine(text, 'thầu nhà ngoài nước')) + 0.2,
  );
});

test('a word said a hundred times does not outweigh the rest', async () => {
  const many = `${'tender '.repeat(100)} lighthouse keeper`;
  expect(await cosine(many, 'lighthouse keeper')).toBeGreaterThan(0.4);
});

test('lets others have their turn while it computes', async () => {
  const texts = Array.from({ length: 400 }, (_, index) =>
    `${index} tender notice and bid security `.repeat(60),
  );
  let turns = 0;
  const counter = setInterval(() => {
    turns += 1;
  }, 1);
  await local.embed(texts, { purpose: 'document' });
  clearInterval(counter);
  expect(turns).toBeGreaterThan(2);
});

test('stops when told to', async () => {
  const texts = Array.from({ length: 5000 }, (_, index) =>
    `${index} tender notice and bid security `.repeat(60),
  );
  const embedding = local.embed(texts, { purpose: 'document', signal: AbortSignal.timeout(30) });
  await expect(embedding).rejects.toMatchObject({ name: 'TimeoutError' });
});

test.each([0, 15, 3.5, 20_000, Number.NaN])('refuses %d dimensions', (dimensions) => {
  expect(() => createLocalProvider({ dimensions })).toThrow(RangeError);
});
