import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'cache', globalSetup: '@sluice/testing/setup', testTimeout: 20_000, hookTimeout: 60_000 },
});
