import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'monitoring', globalSetup: '@sluice/testing/setup' } });
