import { type Config, type Environment, loadConfig } from '@sluice/config';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@sluice/embedded';

export interface Database {
  /** The environment for whoever works with this database. */
  environment: Environment;
  config: Config;
  /** Undefined when the services were given. */
  embedded: EmbeddedPostgres | undefined;
}

/** The given services, or the embedded Postgres, started, when none are given. Throws `ConfigError`, `EmbeddedError`. */
export async function openDatabase(environment: Environment): Promise<Database> {
  const config = loadConfig(environment);
  if (config.databaseUrl) return { environment, config, embedded: undefined };
  const embedded = await startEmbeddedPostgres({ dataDir: config.dataDir });
  const extended = { ...environment, DATABASE_URL: embedded.url, SLUICE_EMBEDDED: 'true' };
  return { environment: extended, config: loadConfig(extended), embedded };
}
