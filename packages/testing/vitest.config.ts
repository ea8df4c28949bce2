import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'testing', globalSetup: '@sluice/testing/setup' } });
