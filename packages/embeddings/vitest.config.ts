import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'embeddings', globalSetup: '@sluice/testing/setup', hookTimeout: 60_000 },
});
