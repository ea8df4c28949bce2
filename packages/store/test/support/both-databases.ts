import { createPool, type Pool } from '@sluice/pool';
import { createTestDatabase, startEmbeddedDatabase } from '@sluice/testing';

export type OpenDatabase = () => Promise<{ pool: Pool } & AsyncDisposable>;

export async function openPostgres(): Promise<{ pool: Pool } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const pool = stack.use(createPool({ connectionString: database.url, size: 2, maxOverflow: 0 }));
  return { pool, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

export async function openEmbedded(): Promise<{ pool: Pool } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const { url } = stack.use(await startEmbeddedDatabase());
  const pool = stack.use(createPool({ connectionString: url, size: 1, maxOverflow: 0, sharedSession: true }));
  return { pool, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
