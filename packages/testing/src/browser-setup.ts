import type { TestProject } from 'vitest/node';
import { readEnvironment } from './environment.ts';
import { type BrowserSearch, findBrowser } from './find-browser.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    sluiceBrowser: BrowserSearch;
  }
}

/** Beside `setup.ts`, for projects with suites that need a browser: the others do not have to wait for its root. */
export default async function setup(project: TestProject): Promise<void> {
  const found = await findBrowser(readEnvironment());
  if (found.why !== null)
    process.stderr.write(`WARNING: no browser: ${found.why}\nWARNING: suites that need one do not run.\n`);
  project.provide('sluiceBrowser', found);
}
