import { inject } from 'vitest';
import type { TestServices } from './find-services.ts';

/** What this run has, as the global setup found it. */
export function testServices(): TestServices {
  const services = inject('sluiceServices');
  if (services) return services;
  throw new Error(
    "no services in this project: add globalSetup: '@sluice/testing/setup' to its vitest.config.ts",
  );
}
