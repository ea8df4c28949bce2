import pg from 'pg';
import { passages } from '../database.ts';
import { type Database, search } from './queries.ts';

export function createConnectionPerQuery(name: string, connectionString: string): Database {
  async function query(text: string, values: unknown[] = []): Promise<unknown> {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      return await client.query(text, values);
    } finally {
      await client.end();
    }
  }
  return {
    name,
    selectOne: () => query('select 1'),
    search: (vector) => query(search.text, [vector, passages.k]),
    async [Symbol.asyncDispose]() {},
  };
}
