import type { Queryable } from '@sluice/pool';

export interface KeyedRequest {
  /** SHA-256 over what the request brought. */
  fingerprint: Buffer;
  uploadIds: readonly string[];
}

/**
 * Takes the key for a request. Undefined when it is taken now; otherwise the request that has it, for which this waits when
 * that one is just being accepted. Run it in the transaction that accepts the uploads.
 */
export async function takeIdempotencyKey(
  db: Queryable,
  key: string,
  { fingerprint, uploadIds }: KeyedRequest,
): Promise<KeyedRequest | undefined> {
  const { rowCount } = await db.query(
    `insert into sluice.idempotency_keys (key, fingerprint, upload_ids) values ($1::text, $2::bytea, $3::uuid[])
     on conflict (key) do nothing`,
    [key, fingerprint, uploadIds],
  );
  if (rowCount === 1) return undefined;
  const { rows } = await db.query<KeyedRequest & Record<string, unknown>>(
    'select fingerprint, upload_ids as "uploadIds" from sluice.idempotency_keys where key = $1::text',
    [key],
  );
  return rows[0];
}

/** Forgets keys that nobody will repeat any more. Returns how many. */
export async function deleteIdempotencyKeys(db: Queryable, olderThanMs: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from sluice.idempotency_keys where created_at < now() - $1::double precision * interval '1 millisecond'`,
    [olderThanMs],
  );
  return rowCount;
}
