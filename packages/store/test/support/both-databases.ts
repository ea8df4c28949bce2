import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@sluice/embedded';
import { createPool, type Pool } from '@sluice/pool';
import { createTestDatabase } from '@sluice/testing';
import { migrate } from '../../src/index.ts';

export type OpenDatabase = () => Promise<{ pool: Pool } & AsyncDisposable>;

export async function openPostgres(): Promise<{ pool: Pool } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const pool = stack.use(createPool({ connectionString: database.url, size: 2, maxOverflow: 0 }));
  return { pool, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

export async function openEmbedded(): Promise<{ pool: Pool } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-data-'));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const { url } = stack.use(await startEmbeddedPostgres({ dataDir }));
  const pool = stack.use(createPool({ connectionString: url, size: 1, maxOverflow: 0, sharedSession: true }));
  await migrate(pool);
  return { pool, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
