import { readdir, readFile } from 'node:fs/promises';
import type { Pool, Transaction } from '@sluice/pool';
import { StoreError } from './errors.ts';
import { readServerFacts, requireSupported } from './server-facts.ts';

const folder = new URL('../migrations/', import.meta.url);
// One key for all replicas: whoever comes second waits and then finds nothing to do.
const lockKey = 7_348_221;

interface Migration {
  number: number;
  name: string;
  sql: string;
}

async function listMigrations(): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file) => ({
      number: Number(file.slice(0, 4)),
      name: file.slice(5, -4),
      sql: await readFile(new URL(file, folder), 'utf8'),
    })),
  );
}

async function ensureExtension(transaction: Transaction): Promise<void> {
  try {
    await transaction.savepoint((inner) => inner.query('create extension if not exists vector'));
  } catch (cause) {
    throw new StoreError(
      'missing_extension',
      'pgvector is not available in this database: install pgvector 0.8 or newer on the server and run ' +
        '"create extension vector" as a superuser',
      {},
      { cause },
    );
  }
}

/**
 * Brings the schema to the newest version. Safe to call from many processes at once. Returns the numbers applied.
 * Throws `schema_too_new` when the database was migrated by a newer release, `unsupported_server` when the server is too old.
 */
export async function migrate(pool: Pool): Promise<number[]> {
  const migrations = await listMigrations();
  return pool.lane('control').transaction(async (transaction) => {
    await transaction.query('select pg_advisory_xact_lock($1::bigint)', [lockKey]);
    await ensureExtension(transaction);
    requireSupported(await readServerFacts(transaction));
    await transaction.query('create schema if not exists sluice');
    await transaction.query(
      `create table if not exists sluice.migrations (
         number integer primary key, name text not null, applied_at timestamptz not null default now()
       )`,
    );
    const { rows } = await transaction.query<{ number: number }>('select number from sluice.migrations');
    const applied = new Set(rows.map((row) => row.number));
    const newest = migrations.at(-1)?.number ?? 0;
    const unknown = [...applied].filter((number) => number > newest);
    if (unknown.length > 0) {
      throw new StoreError(
        'schema_too_new',
        `the database has migration ${Math.max(...unknown)}, this release knows up to ${newest}: upgrade Sluice`,
        { database: Math.max(...unknown), known: newest },
      );
    }
    const pending = migrations.filter((migration) => !applied.has(migration.number));
    for (const { number, name, sql } of pending) {
      await transaction.query(sql);
      await transaction.query('insert into sluice.migrations (number, name) values ($1::int, $2::text)', [
        number,
        name,
      ]);
    }
    return pending.map((migration) => migration.number);
  });
}

/** Whether every migration of this release is applied. */
export async function isMigrated(pool: Pool): Promise<boolean> {
  const newest = (await listMigrations()).at(-1)?.number ?? 0;
  const { rows } = await pool
    .lane('control')
    .query<{ present: boolean }>(`select to_regclass('sluice.migrations') is not null as present`);
  if (!rows[0]?.present) return false;
  const found = await pool
    .lane('control')
    .query<{ newest: number | null }>('select max(number) as newest from sluice.migrations');
  return (found.rows[0]?.newest ?? 0) >= newest;
}
