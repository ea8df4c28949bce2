import { expect, it } from 'vitest';
import { parseMetadata } from '../src/uploads/metadata-lines.ts';

it('reads a field a line, with values of the type that they look like', () => {
  expect(parseMetadata('year = 2024\n\n language: vi \ndraft=false\nnote = "1 = 1"')).toEqual({
    year: 2024,
    language: 'vi',
    draft: false,
    note: '1 = 1',
  });
});

it('is no metadata at all when nothing was written', () => {
  expect(parseMetadata(' \n ')).toBeUndefined();
});

it('names the line that is none', () => {
  expect(() => parseMetadata('year = 2024\nhello')).toThrowError(expect.objectContaining({ line: 'hello' }));
  expect(() => parseMetadata('= 5')).toThrowError(expect.objectContaining({ line: '= 5' }));
});
