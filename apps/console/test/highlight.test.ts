import fc from 'fast-check';
import { expect, it } from 'vitest';
import { highlight } from '../src/search/highlight.ts';

const marked = (text: string, query: string) =>
  highlight(text, query)
    .filter((piece) => piece.marked)
    .map((piece) => piece.text);

it('marks the words of the query whatever their case', () => {
  expect(highlight('A Bid is valid.', 'bid VALID')).toEqual([
    { text: 'A ', marked: false },
    { text: 'Bid', marked: true },
    { text: ' is ', marked: false },
    { text: 'valid', marked: true },
    { text: '.', marked: false },
  ]);
});

it('marks Vietnamese words for a query without diacritics', () => {
  expect(marked('Các trường hợp được chỉ định thầu ngay', 'chi dinh thau')).toEqual(['chỉ định thầu']);
});

it('marks words without diacritics for a query that has them', () => {
  expect(marked('Bao dam du thau', 'Bảo đảm')).toEqual(['Bao dam']);
});

it('marks decomposed text and keeps it as it is', () => {
  const text = 'Giá dự thầu'.normalize('NFD');
  expect(marked(text, 'thầu')).toEqual(['thầu'.normalize('NFD')]);
});

it('marks other forms of an English word', () => {
  expect(marked('Bidding rules: bids, a bidden guest, prices', 'bid price')).toEqual([
    'Bidding',
    'bids',
    'prices',
  ]);
});

it('keeps Vietnamese words apart that differ in their letters', () => {
  expect(marked('thu thuế thuê', 'thu')).toEqual(['thu']);
});

it('passes over words that say little, unless the query has no others', () => {
  expect(marked('the validity of the bid', 'what is the validity of a bid?')).toEqual(['validity', 'bid']);
  expect(marked('to be or not', 'to be')).toEqual(['to be']);
});

it('marks nothing for a query without words', () => {
  expect(highlight('50 % + 1', '%%')).toEqual([{ text: '50 % + 1', marked: false }]);
  expect(highlight('', 'bid')).toEqual([]);
});

it('loses no character of any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, query) => {
      const joined = (pieces: { text: string }[]) => pieces.map((piece) => piece.text).join('');
      expect(joined(highlight(text, query))).toBe(text);
      expect(joined(highlight(text, text))).toBe(text);
    }),
  );
});
