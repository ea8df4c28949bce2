import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'store', globalSetup: '@sluice/testing/setup' } });
