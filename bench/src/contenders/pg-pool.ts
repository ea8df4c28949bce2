import type { Client } from 'pg';
import PgPool from 'pg-pool';
import { passages } from '../database.ts';
import { type Database, search } from './queries.ts';

export interface Peer extends Database {
  readonly pool: PgPool<Client>;
}

/**
 * With `idleTimeoutMillis: 0` it neither closes connections between two rounds nor starts a timer for each one that is
 * given back: the best it can do.
 */
export function createPgPool(
  name: string,
  options: { connectionString: string; max: number; idleTimeoutMillis?: number },
): Peer {
  const pool = new PgPool({ idleTimeoutMillis: 0, ...options });
  pool.on('error', () => {});
  return {
    name,
    pool,
    selectOne: () => pool.query('select 1'),
    search: (vector) => pool.query({ ...search, values: [vector, passages.k] }),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
