import { loadConfig } from '@sluice/config';
import { createPool } from '@sluice/pool';
import { checkQueueBackend } from '@sluice/queue';
import { isMigrated, readServerFacts, requireSupported } from '@sluice/store';

/** What can be found out about the services without a gateway, a sentence each. Throws `ConfigError`. */
export async function checkServices(environment: NodeJS.ProcessEnv): Promise<string[]> {
  const { databaseUrl, queue, pool: options, mode } = loadConfig(environment);
  if (!databaseUrl)
    return ['DATABASE_URL is not set here, so that the database cannot be looked at from here.'];
  const found: string[] = [];
  const pool = createPool({
    ...options,
    connectionString: databaseUrl,
    size: 1,
    maxOverflow: 0,
    minIdle: 0,
    applicationName: 'sluice-doctor',
  });
  try {
    const facts = await readServerFacts(pool);
    found.push(`Postgres ${facts.postgres} answers, with pgvector ${facts.pgvector ?? '(not installed)'}.`);
    requireSupported(facts);
    const migrated = await isMigrated(pool);
    found.push(
      migrated ? 'Its schema is up to date.' : 'Its schema is not up to date: run "sluice migrate".',
    );
  } catch (error) {
    found.push(`Postgres: ${(error as Error).message}`);
  } finally {
    await pool.drain();
  }
  if (!queue || mode === 'embedded') return found;
  try {
    const warnings = await checkQueueBackend(queue);
    found.push(...(warnings.length > 0 ? warnings : ['The queue answers.']));
  } catch (error) {
    found.push(`Queue: ${(error as Error).message}`);
  }
  return found;
}
