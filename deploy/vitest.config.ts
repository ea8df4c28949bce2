import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'deploy', globalSetup: '@sluice/testing/setup' } });
