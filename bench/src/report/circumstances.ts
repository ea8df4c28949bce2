import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import pg from 'pg';

const packages = ['pg', 'pg-pool', 'pg-copy-streams', 'generic-pool', 'tarn'];

function versionOf(name: string): string {
  const file = findPackageJSON(name, import.meta.url);
  if (!file) throw new Error(`${name} is not installed`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

async function serverVersions(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ postgres: string; pgvector: string }>(
      `select split_part(current_setting('server_version'), ' ', 1) as postgres,
         (select extversion from pg_extension where extname = 'vector') as pgvector`,
    );
    return `Postgres ${rows[0]?.postgres}, pgvector ${rows[0]?.pgvector}`;
  } finally {
    await client.end();
  }
}

/** Where and with what the figures of a section were measured. */
export async function describeCircumstances(connectionString: string, command: string): Promise<string> {
  const machine = `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB of memory`;
  const versions = packages.map((name) => `\`${name}\` ${versionOf(name)}`);
  return `_${new Date().toISOString().slice(0, 10)}, \`${command}\`; ${machine}, for the server and its clients together; Node ${process.versions.node}, ${await serverVersions(connectionString)}, ${versions.join(', ')}._`;
}
