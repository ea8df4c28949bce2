import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Rollup } from 'vite';
import { expect, it } from 'vitest';

it('is below 200 kB compressed, with everything that it loads', async () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const built = (await build({ root, logLevel: 'error', build: { write: false } })) as Rollup.RollupOutput;
  const sizes = built.output.map((file) => {
    const content = file.type === 'chunk' ? file.code : file.source;
    return [file.fileName, gzipSync(content).length] as const;
  });
  expect(sizes.map(([name]) => name)).toContain('index.html');
  expect(sizes.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThan(200_000);
});
