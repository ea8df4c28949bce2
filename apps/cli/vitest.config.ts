import { defineConfig } from 'vitest/config';

// They start everything there is, as a user does, while other suites run beside them.
export default defineConfig({
  test: { name: 'cli', globalSetup: '@sluice/testing/setup', testTimeout: 90_000 },
});
