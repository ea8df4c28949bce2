import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const buildPage = fileURLToPath(new URL('./test/support/build-page.ts', import.meta.url));

export default defineConfig({
  test: {
    name: 'console-e2e',
    globalSetup: ['@sluice/testing/setup', '@sluice/testing/browser-setup', buildPage],
  },
});
