import { describe, test } from 'vitest';
import { DID_NOT_RUN } from './did-not-run.ts';
import { readEnvironment } from './environment.ts';
import { TestingError } from './errors.ts';

/**
 * `describe` for a suite that needs what may not be there. Where `missing` says that it is not, the suite is skipped with that
 * reason in its title, which the closing report of a run lists; in CI it fails instead.
 */
export function describeUnless(missing: string | undefined, title: string, define: () => void): void {
  if (missing === undefined) {
    describe(title, define);
    return;
  }
  const reason = `${title} (${DID_NOT_RUN} ${missing})`;
  if (!readEnvironment().ci) {
    describe.skip(reason, define);
    return;
  }
  test(reason, () => {
    throw new TestingError('SERVICES_UNAVAILABLE', `in CI every suite has to run: ${missing}`);
  });
}
