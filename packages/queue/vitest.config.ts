import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'queue', globalSetup: '@sluice/testing/setup', testTimeout: 30_000, hookTimeout: 60_000 },
});
