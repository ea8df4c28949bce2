import { createHash } from 'node:crypto';
import pg from 'pg';
import { sqlState } from './errors.ts';
import type { ResolvedPoolOptions } from './options.ts';

export type Row = Record<string, unknown>;
export interface Result<R extends Row = Row> {
  rows: R[];
  rowCount: number;
  /** What the server says it did, e.g. `SELECT`, `COMMIT`. */
  command: string;
}
export interface QueryOptions {
  /** Keep a named prepared statement for this text on the connection. For the few hot statements. */
  prepare?: boolean;
}

/** Something SQL can be sent to: a pool, a lane of it, a lease, or a transaction. `Buffer` parameters travel as binary. */
export interface Queryable {
  query<R extends Row = Row>(
    text: string,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<Result<R>>;
}

/** One server connection. `usable` turns false for good when its socket died or its session is in doubt. */
export interface Connection extends Queryable {
  readonly id: number;
  readonly usable: boolean;
  readonly client: pg.Client;
  /** Throws when the server does not answer. */
  ping(): Promise<void>;
  /** Back to a clean session: an open or failed transaction is rolled back. */
  reset(): Promise<void>;
  close(): void;
}

// int8 (counts, sizes) as number: everything we count stays far below 2^53.
const types = new pg.TypeOverrides();
types.setTypeParser(20, (text: string) => Number(text));

// Statements beyond this many run unnamed, so that a server session's memory stays bounded.
const maxNamedStatements = 200;
let lastId = 0;

function statementName(text: string): string {
  return `sluice_${createHash('sha1').update(text).digest('base64url').slice(0, 20)}`;
}

// After connecting, not at startup: PgBouncer refuses unknown startup parameters.
async function applySettings(client: pg.Client, settings: Record<string, string>): Promise<void> {
  const calls = Object.keys(settings).map(
    (_, i) => `set_config($${2 * i + 1}::text, $${2 * i + 2}::text, false)`,
  );
  if (calls.length > 0) await client.query(`select ${calls.join(', ')}`, Object.entries(settings).flat());
}

export async function openConnection(options: ResolvedPoolOptions): Promise<Connection> {
  const client = new pg.Client({
    connectionString: options.connectionString,
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    types,
    ...(options.sharedSession ? {} : { application_name: options.applicationName }),
  });
  let usable = true;
  // Without a listener a socket that dies would end the process.
  client.on('error', () => {
    usable = false;
  });
  client.on('end', () => {
    usable = false;
  });
  try {
    await client.connect();
    await applySettings(client, options.settings);
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  }

  lastId += 1;
  const id = lastId;
  const named = new Map<string, string>();

  function nameFor(text: string): string | undefined {
    const known = named.get(text);
    if (known || options.sharedSession || named.size >= maxNamedStatements) return known;
    const name = statementName(text);
    named.set(text, name);
    return name;
  }

  return {
    id,
    client,
    get usable() {
      return usable;
    },
    async query<R extends Row>(
      text: string,
      values: readonly unknown[] = [],
      { prepare = false }: QueryOptions = {},
    ) {
      const name = prepare ? nameFor(text) : undefined;
      try {
        const result = await client.query<R>({ text, values: [...values], ...(name && { name }) });
        return { rows: result.rows, rowCount: result.rowCount ?? 0, command: result.command };
      } catch (error) {
        // A plan that no longer fits its table never heals on this session.
        if (sqlState(error) === '0A000' && /cached plan/.test((error as Error).message)) usable = false;
        throw error;
      }
    },
    async ping() {
      await client.query('select 1');
    },
    async reset() {
      // The server tells its transaction status with every answer, so a clean session costs no round trip.
      if (client.getTransactionStatus() !== 'I') await client.query('rollback');
    },
    close() {
      usable = false;
      client.end().catch(() => {});
    },
  };
}
