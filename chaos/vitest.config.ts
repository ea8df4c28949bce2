import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'chaos',
    globalSetup: '@sluice/testing/setup',
    // After all others: it keeps the processors busy, and they have deadlines.
    sequence: { groupOrder: 1 },
  },
});
