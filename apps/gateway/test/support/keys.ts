import { createPool, type Pool } from '@sluice/pool';
import { createApiKey, type NewApiKey, revokeApiKey } from '@sluice/store';

/** Makes keys in the table behind a gateway's back. */
export interface KeyMaker extends AsyncDisposable {
  pool: Pool;
  make(change?: Partial<NewApiKey>): Promise<{ id: string; key: string }>;
  revoke(id: string): Promise<void>;
}

export function createKeyMaker(connectionString: string): KeyMaker {
  const pool = createPool({ connectionString, size: 1, maxOverflow: 0 });
  return {
    pool,
    make: (change = {}) =>
      createApiKey(pool, {
        name: 'of a test',
        scopes: ['admin'],
        collections: null,
        requestsPerMinute: null,
        uploadsPerDay: null,
        uploadBytesPerDay: null,
        expiresAt: null,
        createdBy: 'test',
        ...change,
      }),
    async revoke(id) {
      await revokeApiKey(pool, id);
    },
    [Symbol.asyncDispose]: () => pool.drain(),
  };
}

export const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
