import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'worker', globalSetup: '@sluice/testing/setup' } });
