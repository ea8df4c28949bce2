import { describe, test } from 'vitest';
import { DID_NOT_RUN } from './did-not-run.ts';
import { readEnvironment } from './environment.ts';
import { TestingError } from './errors.ts';
import type { TestServices } from './find-services.ts';
import { testServices } from './provided-services.ts';

/** `processes`: the suite starts servers of its own. */
export type Need = 'postgres' | 'redis' | 'processes';

/**
 * `describe` for a suite that needs services. Without them the suite is skipped with the reason in its title,
 * which the closing report of a run lists; in CI it fails instead.
 */
export function describeWithServices(needs: Need | readonly Need[], title: string, define: () => void): void {
  const services = testServices();
  const missing = [needs].flat().filter((need) => !has(services, need));
  if (missing.length === 0) {
    describe(title, define);
    return;
  }
  const reason = `${title} (${DID_NOT_RUN} no ${missing.join(', no ')}; ${services.why})`;
  if (!readEnvironment().ci) {
    describe.skip(reason, define);
    return;
  }
  test(reason, () => {
    throw new TestingError('SERVICES_UNAVAILABLE', `in CI every suite has to run: ${services.why}`);
  });
}

function has(services: TestServices, need: Need): boolean {
  if (need === 'postgres') return services.databaseUrl !== null;
  if (need === 'redis') return services.redisUrl !== null;
  return services.processes;
}
