import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'search', globalSetup: '@sluice/testing/setup' } });
