import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'chaos', globalSetup: '@sluice/testing/setup' } });
