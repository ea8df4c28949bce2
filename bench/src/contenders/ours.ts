import { createPool, type Pool, type PoolOptions } from '@sluice/pool';
import { passages } from '../database.ts';
import { type Database, search } from './queries.ts';

export interface Ours extends Database {
  readonly pool: Pool;
}

export function createOurs(name: string, options: PoolOptions): Ours {
  const pool = createPool(options);
  return {
    name,
    pool,
    selectOne: () => pool.query('select 1'),
    search: (vector) => pool.query(search.text, [vector, passages.k], { prepare: true }),
    [Symbol.asyncDispose]: () => pool.drain(),
  };
}
