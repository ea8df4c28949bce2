import { createTestDatabase, type TestDatabase } from '@sluice/testing';
import { afterAll, beforeAll } from 'vitest';

/** One empty database for a suite. Disposing of it fails when a test has left a connection open. */
export function useDatabase(): { readonly url: string } {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ migrated: false });
  });
  afterAll(() => database[Symbol.asyncDispose]());
  return {
    get url() {
      return database.url;
    },
  };
}
