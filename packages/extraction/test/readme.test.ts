import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { errorCodes, formats } from '../src/index.ts';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

/** The rows of the table under a heading, as cells. */
function table(heading: string): string[][] {
  const section = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

describe('the README', () => {
  test('lists every error code with its meaning, and no other', () => {
    const codes = Object.entries(errorCodes).map(([code, { retryable, meaning }]) => [
      `\`${code}\``,
      retryable ? 'yes' : 'no',
      meaning,
    ]);
    expect(table('Errors')).toEqual(codes);
  });

  test('lists every format, and no other', () => {
    expect(table('Formats').map(([label]) => label)).toEqual(formats.map((entry) => entry.label));
  });
});
