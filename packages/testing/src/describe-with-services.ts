import { describeUnless } from './describe-unless.ts';
import type { TestServices } from './find-services.ts';
import { testBrowser, testServices } from './provided-services.ts';

/**
 * `processes`: the suite starts servers of its own; `prometheus`: a Prometheus among them; `browser`: it asks `startBrowser` for a
 * Chromium.
 */
export type Need = 'postgres' | 'redis' | 'processes' | 'prometheus' | 'browser';

/** `describe` for a suite that needs services. Where there are none it goes as `describeUnless` says. */
export function describeWithServices(needs: Need | readonly Need[], title: string, define: () => void): void {
  const services = testServices();
  const missing = [needs].flat().filter((need) => !has(services, need));
  const why = missing.map((need) => (need === 'browser' ? testBrowser().why : services.why));
  const reason = `no ${missing.join(', no ')}; ${[...new Set(why)].join('; ')}`;
  describeUnless(missing.length === 0 ? undefined : reason, title, define);
}

function has(services: TestServices, need: Need): boolean {
  if (need === 'postgres') return services.databaseUrl !== null;
  if (need === 'redis') return services.redisUrl !== null;
  if (need === 'browser') return testBrowser().why === null;
  if (need === 'prometheus') return services.prometheus;
  return services.processes;
}
