import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeAnswer } from '../src/decode-answer.ts';

function base64Of(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

test('base64 and numbers in any order decode to the same bits', () => {
  const vector = fc.float32Array({
    minLength: 3,
    maxLength: 3,
    noNaN: true,
    noDefaultInfinity: true,
    min: -2,
    max: 2,
  });
  fc.assert(
    fc.property(
      fc.array(vector.filter((values) => values.some((value) => Math.abs(value) > 1e-3))),
      fc.infiniteStream(fc.boolean()),
      fc.infiniteStream(fc.nat()),
      (vectors, asNumbers, order) => {
        const data = vectors
          .map((values, index) => ({
            index,
            embedding: asNumbers.next().value ? [...values] : base64Of(values),
          }))
          .map((item) => ({ item, at: order.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ item }) => item);
        expect(decodeAnswer({ data }, vectors.length, 3).map((each) => [...each])).toEqual(
          vectors.map((values) => [...values]),
        );
      },
    ),
  );
});

test('takes items without an index in the order they come in', () => {
  expect(decodeAnswer({ data: [{ embedding: [1, 0] }, { embedding: [0, 1] }] }, 2, 2)).toEqual([
    Float32Array.of(1, 0),
    Float32Array.of(0, 1),
  ]);
});

test('each vector has memory of its own', () => {
  const data = [0, 1].map((index) => ({ index, embedding: base64Of(Float32Array.of(1, 2)) }));
  const [first, second] = decodeAnswer({ data }, 2, 2);
  expect(first?.buffer).not.toBe(second?.buffer);
  expect(first?.buffer.byteLength).toBe(8);
});

const item = { index: 0, embedding: [1, 0] };

test.each([
  [null, 'invalid_answer'],
  ['text', 'invalid_answer'],
  [{ data: {} }, 'invalid_answer'],
  [{ data: [null, null] }, 'invalid_answer'],
  [{ data: [item, item] }, 'invalid_answer'],
  [{ data: [{ ...item, index: -1 }] }, 'invalid_answer'],
  [{ data: [{ ...item, index: 0.5 }] }, 'invalid_answer'],
  [{ data: [{ ...item, index: 2 }] }, 'invalid_answer'],
  [{ data: [{ index: 0, embedding: { 0: 1 } }] }, 'invalid_answer'],
  [{ data: [] }, 'short_answer'],
  [{ data: [item] }, 'short_answer'],
  [{ data: [{ index: 0, embedding: [1] }] }, 'wrong_dimensions'],
  [{ data: [{ index: 0, embedding: '' }] }, 'wrong_dimensions'],
  [{ data: [{ index: 0, embedding: [1, null] }] }, 'invalid_vector'],
  [{ data: [{ index: 0, embedding: [1, '2'] }] }, 'invalid_vector'],
  [{ data: [{ index: 0, embedding: [0, 0] }] }, 'invalid_vector'],
  [{ data: [{ index: 0, embedding: [1, 1e39] }] }, 'invalid_vector'],
])('%j for two texts is refused as %s', (answer, code) => {
  expect(() => decodeAnswer(answer, 2, 2)).toThrow(expect.objectContaining({ code }));
});
