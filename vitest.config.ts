import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defineConfig, type UserWorkspaceConfig } from 'vitest/config';

// Tests talk to real servers on the same cores, so they may take a while; a package can say otherwise. Files of a project run in the same
// processes: loading everything anew for each took a third of the time.
const defaults = { testTimeout: 30_000, hookTimeout: 60_000, isolate: false };

// Projects named by file would not get these defaults: vitest passes nothing on from this file to theirs.
async function readProject(file: string): Promise<UserWorkspaceConfig> {
  const path = join(import.meta.dirname, file);
  const { default: config } = (await import(path)) as { default: UserWorkspaceConfig };
  return { ...config, root: dirname(path), test: { ...defaults, ...config.test } };
}

const files = globSync(
  ['{apps,packages}/*/vitest.config.ts', '{examples,deploy,bench,chaos}/vitest.config.ts'],
  {
    cwd: import.meta.dirname,
  },
);

export default defineConfig({
  test: {
    projects: await Promise.all(files.sort().map(readProject)),
    pool: 'forks',
    // More workers than this would only make each other wait for the servers.
    maxWorkers: 2,
    teardownTimeout: 30_000,
  },
});
