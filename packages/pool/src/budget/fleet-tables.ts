// biome-ignore lint/suspicious/noExplicitAny: rows are what the statement says
export type Query = (text: string, values?: unknown[]) => Promise<{ rows: any[] }>;

export interface FleetTables {
  readonly schema: string;
  /** Qualified and quoted. */
  readonly members: string;
  readonly clock: string;
  /** What to take the advisory lock on. */
  readonly lockName: string;
}

export function fleetTables(schema: string): FleetTables {
  if (schema === '' || schema.includes('\0')) throw new RangeError('the schema of the fleet needs a name');
  return {
    schema,
    members: `${quote(schema)}.fleet_members`,
    clock: `${quote(schema)}.fleet_clock`,
    lockName: `sluice fleet ${schema}`,
  };
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Waits for its turn until the transaction ends. */
export async function lockFleet(query: Query, { lockName }: FleetTables): Promise<void> {
  await query('select pg_advisory_xact_lock(hashtextextended($1::text, 0))', [lockName]);
}

/**
 * Creates what is missing, inside a transaction. Rights to create are only needed when something is. Both tables are
 * unlogged: heartbeats write no WAL, and a crash of the server empties them, which the ledger then knows, because the
 * row of the clock is missing too.
 *
 * `fresh`: the caller has not seen the tables before. Then nobody can have used them, and nobody is waited for.
 */
export async function createFleetTables(
  query: Query,
  tables: FleetTables,
  { fresh }: { fresh: boolean },
): Promise<void> {
  if (await exist(query, tables)) return;
  await lockFleet(query, tables);
  if (await exist(query, tables)) return;
  const { rows } = await query('select 1 from pg_catalog.pg_namespace where nspname = $1::text', [
    tables.schema,
  ]);
  if (rows.length === 0) await query(`create schema ${quote(tables.schema)}`);
  await query(
    `create unlogged table ${tables.members} (
       id text primary key, weight float8 not null, floor int not null, cap int not null, held int not null,
       granted int not null, "limit" int not null, place int not null, ttl_ms float8 not null, turn int not null,
       renewed float8 not null)`,
  );
  await query(
    `create unlogged table ${tables.clock} (
       single bool primary key default true check (single),
       clock float8 not null, at float8 not null, born float8 not null, next int not null)`,
  );
  if (!fresh) return;
  await query(
    `insert into ${tables.clock} (clock, at, born, next)
     values (0, extract(epoch from clock_timestamp()) * 1000, '-infinity', 1)`,
  );
}

// Not by to_regclass: it may answer from a cache that is older than the lock, while a query sees what is committed.
async function exist(query: Query, { schema }: FleetTables): Promise<boolean> {
  const { rows } = await query(
    `select count(*)::int as tables from pg_catalog.pg_class
     where relname in ('fleet_members', 'fleet_clock')
       and relnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1::text)`,
    [schema],
  );
  return rows[0].tables === 2;
}
