import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { EmbeddingError, embeddingErrorCodes } from '../src/index.ts';

test('the README lists every code, and whether a retry can help', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\|\s*`(\w+)`\s*\|\s*(yes|no)\s*\|/gm)].map(
    ([, code, retry]) => `${code} ${retry}`,
  );
  const codes = embeddingErrorCodes.map(
    (code) => `${code} ${new EmbeddingError(code, '').retryable ? 'yes' : 'no'}`,
  );
  expect(rows.sort()).toEqual(codes.sort());
});
