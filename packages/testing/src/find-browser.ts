import { accessSync, constants } from 'node:fs';
import type { TestEnvironment } from './environment.ts';
import { browserRecipe, provideRoot, whyNoServiceRoot } from './service-root.ts';

/** A Chromium: a program of this machine, or the one in a root of its own. */
export type BrowserPlace = { executable: string } | { root: string };

export type BrowserSearch = { place: BrowserPlace; why: null } | { place: null; why: string };

/** `TEST_CHROMIUM`, else Debian's Chromium in a root that is built first where it is missing, else the reasons against each. */
export async function findBrowser(environment: TestEnvironment): Promise<BrowserSearch> {
  if (environment.chromium !== null) return findExecutable(environment.chromium);
  if (environment.servicesForbidden) return { place: null, why: 'SLUICE_TEST_SERVICES=none' };
  const noRoot = whyNoServiceRoot();
  if (noRoot !== null) return { place: null, why: `TEST_CHROMIUM is not set, no root for one (${noRoot})` };
  try {
    return { place: { root: await provideRoot(browserRecipe, environment.cacheFolder) }, why: null };
  } catch (error) {
    return { place: null, why: (error as Error).message };
  }
}

function findExecutable(path: string): BrowserSearch {
  try {
    accessSync(path, constants.X_OK);
    return { place: { executable: path }, why: null };
  } catch (error) {
    return { place: null, why: `TEST_CHROMIUM: ${(error as Error).message}` };
  }
}
