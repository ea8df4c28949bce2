import { randomBytes } from 'node:crypto';
import { createPool, type Pool } from '@sluice/pool';
import { expectNoLeakedConnections } from './connection-leaks.ts';
import { TestingError } from './errors.ts';
import type { TestServices } from './find-services.ts';
import { migrateTemplate } from './migrate-template.ts';
import { testServices } from './provided-services.ts';

export interface TestDatabaseOptions {
  /** With Sluice's schema in it (default), or with nothing but the `vector` extension. */
  readonly migrated?: boolean;
  /** Whether disposal fails when somebody is still connected. Default true. */
  readonly leakCheck?: boolean;
}

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
  /** Drops the database. Throws `CONNECTIONS_LEAKED` if somebody is still connected to it. */
  [Symbol.asyncDispose](): Promise<void>;
}

const PREFIX = 'sluice_test';
const STALE_AFTER_SECONDS = 24 * 3600;

/** A database of the test's own, cloned from a template that is migrated once per run. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const services = testServices();
  const serverUrl = services.databaseUrl;
  if (!serverUrl) throw new TestingError('SERVICES_UNAVAILABLE', `no Postgres: ${services.why}`);
  const kind = (options.migrated ?? true) ? 'migrated' : 'plain';
  const name = `${PREFIX}_${services.runId}_${randomBytes(5).toString('hex')}`;
  await withServer(serverUrl, async (pool) => {
    const template = await provideTemplate(pool, serverUrl, services.runId, kind);
    await pool.query(`create database ${name} template ${template}`);
  });
  const url = urlOfDatabase(serverUrl, name);
  return {
    url,
    name,
    async [Symbol.asyncDispose]() {
      try {
        if (options.leakCheck ?? true) await expectNoLeakedConnections(url);
      } finally {
        await withServer(serverUrl, (pool) => pool.query(`drop database if exists ${name} with (force)`));
      }
    },
  };
}

/** Removes what this run left on a server that outlives it, and what killed runs of other days did. */
export async function dropDatabasesOfRun({ databaseUrl, runId }: TestServices): Promise<void> {
  if (!databaseUrl) return;
  await withServer(databaseUrl, async (pool) => {
    const { rows } = await pool.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [`${PREFIX}_`],
    );
    const ours = rows.filter(({ datname }) => datname.startsWith(`${PREFIX}_${runId}_`) || isStale(datname));
    for (const { datname } of ours) await pool.query(`drop database if exists ${datname} with (force)`);
  });
}

// A run id begins with the second in which the run started.
function isStale(name: string): boolean {
  const [, , second] = name.split('_');
  return Number.parseInt(second ?? '', 36) < Date.now() / 1000 - STALE_AFTER_SECONDS;
}

async function provideTemplate(
  pool: Pool,
  serverUrl: string,
  runId: string,
  kind: 'migrated' | 'plain',
): Promise<string> {
  const template = `${PREFIX}_${runId}_template_${kind}`;
  await pool.lane('interactive').session(async (lease) => {
    // Test files start in several processes at once; the first one here builds the template.
    await lease.query('select pg_advisory_lock(hashtext($1))', [template]);
    try {
      const { rows } = await lease.query('select 1 from pg_database where datname = $1', [template]);
      if (rows.length > 0) return;
      const building = `${template}_building`;
      await lease.query(`drop database if exists ${building} with (force)`);
      await lease.query(`create database ${building}`);
      await migrateTemplate(urlOfDatabase(serverUrl, building), kind);
      await lease.query(`alter database ${building} rename to ${template}`);
    } finally {
      await lease.query('select pg_advisory_unlock(hashtext($1))', [template]);
    }
  });
  return template;
}

function urlOfDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function withServer<T>(url: string, use: (pool: Pool) => Promise<T>): Promise<T> {
  await using pool = createPool({
    connectionString: url,
    size: 2,
    maxOverflow: 0,
    applicationName: 'sluice-testing',
  });
  return await use(pool);
}
