import { createPool } from '@sluice/pool';
import { createApiKey, type Scope } from '@sluice/store';

/** A key with these rights and no limits. */
export async function makeKey(databaseUrl: string, scopes: Scope[]): Promise<string> {
  await using pool = createPool({ connectionString: databaseUrl, size: 1, maxOverflow: 0 });
  const { key } = await createApiKey(pool, {
    name: 'of a test',
    scopes,
    collections: null,
    requestsPerMinute: null,
    uploadsPerDay: null,
    uploadBytesPerDay: null,
    expiresAt: null,
    createdBy: 'test',
  });
  return key;
}
