import { inject } from 'vitest';
import type { BrowserSearch } from './find-browser.ts';
import type { TestServices } from './find-services.ts';

/** What this run has, as the global setup found it. */
export function testServices(): TestServices {
  const services = inject('sluiceServices');
  if (services) return services;
  throw new Error(
    "no services in this project: add globalSetup: '@sluice/testing/setup' to its vitest.config.ts",
  );
}

/** Where this run's browser is, as the global setup found it. */
export function testBrowser(): BrowserSearch {
  const browser = inject('sluiceBrowser');
  if (browser) return browser;
  throw new Error("no browser in this project: add '@sluice/testing/browser-setup' to its globalSetup");
}
