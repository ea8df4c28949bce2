import { expect, test } from 'vitest';
import { decodeJson, encodeJson } from '../src/index.ts';

function numbers(value: unknown): number[] {
  if (Array.isArray(value)) return value;
  throw new TypeError('not a list');
}

test('carries JSON', () => {
  expect(decodeJson(encodeJson([1, 2.5, 3]), numbers)).toEqual([1, 2.5, 3]);
  expect(decodeJson(encodeJson({ name: 'đấu thầu' }), (value) => value)).toEqual({ name: 'đấu thầu' });
});

test('what no longer has the expected shape, or is no JSON, is nothing', () => {
  expect(decodeJson(encodeJson({ other: 'shape' }), numbers)).toBeNull();
  expect(decodeJson(Uint8Array.of(0x7b), numbers)).toBeNull();
});
