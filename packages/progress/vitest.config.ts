import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'progress', globalSetup: '@sluice/testing/setup', testTimeout: 20_000, hookTimeout: 60_000 },
});
