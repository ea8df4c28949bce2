import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * What the tests take from the environment. Other packages take options; tests have nobody above them who
 * could pass any, so the variables are read here and nowhere else.
 */
export interface TestEnvironment {
  /** `TEST_DATABASE_URL`: a Postgres in which tests may create and drop databases. */
  readonly databaseUrl: string | null;
  /** `TEST_REDIS_URL`: a Redis whose empty logical databases tests may use. */
  readonly redisUrl: string | null;
  /** `TEST_CHROMIUM`: path of a Chromium, or of a browser that is made from it. */
  readonly chromium: string | null;
  /** `TEST_PROMETHEUS`: a folder with the programs `prometheus` and `promtool`. */
  readonly prometheusFolder: string | null;
  /** `CI`: what cannot run is a failure instead of a loud skip. */
  readonly ci: boolean;
  /** Folder that survives a fresh clone: `XDG_CACHE_HOME` or `~/.cache`, then `sluice`. */
  readonly cacheFolder: string;
  /** `SLUICE_TEST_SERVICES=none`: behave as on a machine where no service can be found. */
  readonly servicesForbidden: boolean;
}

export function readEnvironment(env: NodeJS.ProcessEnv = process.env): TestEnvironment {
  return {
    databaseUrl: env.TEST_DATABASE_URL || null,
    redisUrl: env.TEST_REDIS_URL || null,
    chromium: env.TEST_CHROMIUM || null,
    prometheusFolder: env.TEST_PROMETHEUS || null,
    ci: env.CI !== undefined && env.CI !== '' && env.CI !== 'false' && env.CI !== '0',
    cacheFolder: join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice'),
    servicesForbidden: env.SLUICE_TEST_SERVICES === 'none',
  };
}
