import { defineConfig } from 'vitest/config';

// Longer than the patience of its tests, several of which may be needed in one.
export default defineConfig({
  test: { name: 'pool', globalSetup: '@sluice/testing/setup', testTimeout: 90_000 },
});
