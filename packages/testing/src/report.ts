import type { TestModule } from 'vitest/node';
import { DID_NOT_RUN } from './did-not-run.ts';

export interface RunSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Titles of suites that did not run for want of services, each with its reason. */
  readonly didNotRun: readonly string[];
}

/**
 * Counts the tests of a run. A file that fails before it has any test, and an error outside of all tests, count as
 * one failure each, so `failed` is 0 only for a run in which everything went well.
 */
export function summarise(modules: readonly TestModule[], unhandledErrors: number): RunSummary {
  const counts = { passed: 0, failed: unhandledErrors, skipped: 0 };
  const didNotRun: string[] = [];
  for (const module of modules) {
    let failedInModule = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') counts.passed += 1;
      else if (state === 'failed') failedInModule += 1;
      else counts.skipped += 1;
    }
    for (const suite of module.children.allSuites()) {
      if (suite.name.includes(DID_NOT_RUN)) didNotRun.push(`${module.project.name}: ${suite.name}`);
    }
    if (failedInModule === 0 && module.state() === 'failed') failedInModule = 1;
    counts.failed += failedInModule;
  }
  return { ...counts, didNotRun };
}

/** The last lines of a run: what did not run, and why, and then the counts alone on a line. */
export function closingLines({ passed, failed, skipped, didNotRun }: RunSummary): string[] {
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  if (didNotRun.length === 0) return [counts];
  const suites = didNotRun.map((title) => `  - ${title}`);
  return [`WARNING: ${didNotRun.length} suite(s) did not run:`, ...suites, '', counts];
}
