import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'pool', globalSetup: '@sluice/testing/setup' } });
