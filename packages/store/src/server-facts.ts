import type { Queryable } from '@sluice/pool';
import { StoreError } from './errors.ts';

/** What a database server is and has; changes when an administrator changes it. */
export interface ServerFacts {
  /** E.g. `18.6`. */
  postgres: string;
  /** Of the extension in this database, e.g. `0.8.7`; null when it is not there. */
  pgvector: string | null;
  maxConnections: number;
}

/** Read once and kept: no request asks the server for any of this. */
export interface ServerFactsReader {
  /** Concurrent callers share one read. */
  read(): Promise<ServerFacts>;
  /** The server may be another one now, or have been restarted: the next `read` asks it. */
  forget(): void;
}

export async function readServerFacts(db: Queryable): Promise<ServerFacts> {
  const { rows } = await db.query<ServerFacts & Record<string, unknown>>(
    `select current_setting('server_version') as postgres, current_setting('max_connections')::int as "maxConnections",
       (select extversion from pg_extension where extname = 'vector') as pgvector`,
  );
  return rows[0] as ServerFacts;
}

/** `maxAgeMs`: an extension can be updated under a running process, which nothing announces. */
export function createServerFacts(db: Queryable, { maxAgeMs = 300_000 } = {}): ServerFactsReader {
  let known: Promise<ServerFacts> | undefined;
  let readAt = 0;
  return {
    read() {
      if (known && performance.now() - readAt < maxAgeMs) return known;
      readAt = performance.now();
      const reading = readServerFacts(db);
      known = reading;
      reading.catch(() => {
        if (known === reading) known = undefined;
      });
      return reading;
    },
    forget() {
      known = undefined;
    },
  };
}

const oldest = { postgres: '15', pgvector: '0.8' };

function isOlder(version: string, least: string): boolean {
  const [given, wanted] = [version, least].map((text) =>
    text.split(/[.\s]/).map((part) => Number.parseInt(part, 10)),
  );
  for (const [i, part] of (wanted as number[]).entries()) {
    const difference = ((given as number[])[i] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Throws `unsupported_server`, or `missing_extension`, with what to do. */
export function requireSupported({ postgres, pgvector }: ServerFacts): void {
  if (isOlder(postgres, oldest.postgres)) {
    throw new StoreError(
      'unsupported_server',
      `the database runs Postgres ${postgres}, and ${oldest.postgres} or newer is needed: upgrade the server`,
      { postgres },
    );
  }
  if (pgvector === null) {
    throw new StoreError(
      'missing_extension',
      'the extension vector is not in this database: run "sluice migrate", or "create extension vector" as a superuser',
    );
  }
  if (isOlder(pgvector, oldest.pgvector)) {
    throw new StoreError(
      'unsupported_server',
      `the database has pgvector ${pgvector}, and ${oldest.pgvector} or newer is needed, because filtered searches lose results ` +
        'without its iterative scan: install it on the server and run "alter extension vector update"',
      { pgvector },
    );
  }
}
