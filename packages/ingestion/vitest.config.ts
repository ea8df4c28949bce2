import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: 'ingestion', globalSetup: '@sluice/testing/setup' } });
