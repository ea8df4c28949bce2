import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'embeddings',
    globalSetup: ['@sluice/testing/setup', join(import.meta.dirname, 'test/support/install-onnx-runtime.ts')],
    hookTimeout: 60_000,
  },
});
