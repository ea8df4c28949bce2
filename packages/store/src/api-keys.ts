import type { Queryable, Transaction } from '@sluice/pool';
import { type MadeApiKey, makeApiKey } from './api-key-format.ts';

export type Scope = 'ingest' | 'query' | 'monitor' | 'admin';

/** What one key may do in a time. Null: what holds for all keys; 0: no limit. */
export interface KeyLimits {
  requestsPerMinute: number | null;
  uploadsPerDay: number | null;
  uploadBytesPerDay: number | null;
}

export interface NewApiKey extends KeyLimits {
  name: string;
  scopes: readonly Scope[];
  /** Names of those it is for; null: all. */
  collections: readonly string[] | null;
  expiresAt: Date | null;
  /** Id of the key that makes it, or what does. */
  createdBy: string;
}

export interface ApiKey extends NewApiKey {
  id: string;
  createdAt: Date;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
  /** Until when the key from before the last rotation is taken as well. */
  previousUntil: Date | null;
}

/** How a key is checked. Times in ms from when it was read, so that the clocks of server and process may differ. */
export interface ApiKeyCheck extends KeyLimits {
  id: string;
  name: string;
  scopes: readonly Scope[];
  collections: readonly string[] | null;
  hash: Buffer;
  previousHash: Buffer | null;
  previousMs: number | null;
  expiresMs: number | null;
}

const limitColumns = `requests_per_minute as "requestsPerMinute", uploads_per_day as "uploadsPerDay",
  upload_bytes_per_day as "uploadBytesPerDay"`;
const columns = `id, name, scopes, collections, ${limitColumns}, created_by as "createdBy", created_at as "createdAt",
  expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt", previous_until as "previousUntil"`;

type ApiKeyRow = ApiKey & Record<string, unknown>;

/** The key itself is in what is returned, and nowhere else from then on. */
export async function createApiKey(db: Queryable, key: NewApiKey): Promise<ApiKey & Pick<MadeApiKey, 'key'>> {
  const made = makeApiKey();
  const { rows } = await db.query<ApiKeyRow>(
    `insert into sluice.api_keys (id, name, hash, scopes, collections, requests_per_minute, uploads_per_day,
       upload_bytes_per_day, created_by, expires_at)
     values ($1::text, $2::text, $3::bytea, $4::text[], $5::text[], $6::int, $7::int, $8::bigint, $9::text, $10::timestamptz)
     returning ${columns}`,
    [
      made.id,
      key.name,
      made.hash,
      key.scopes,
      key.collections,
      key.requestsPerMinute,
      key.uploadsPerDay,
      key.uploadBytesPerDay,
      key.createdBy,
      key.expiresAt,
    ],
  );
  return { ...(rows[0] as ApiKey), key: made.key };
}

/** The first key of all, for everything. Undefined when there is or was another, also one that is being made at the same time. */
export async function createFirstApiKey(
  transaction: Transaction,
): Promise<(ApiKey & Pick<MadeApiKey, 'key'>) | undefined> {
  await transaction.query('lock table sluice.api_keys in share row exclusive mode');
  const { rowCount } = await transaction.query('select from sluice.api_keys limit 1');
  if (rowCount > 0) return undefined;
  return createApiKey(transaction, {
    name: 'first key',
    scopes: ['admin'],
    collections: null,
    requestsPerMinute: null,
    uploadsPerDay: null,
    uploadBytesPerDay: null,
    expiresAt: null,
    createdBy: 'first start',
  });
}

/** Newest first. */
export async function listApiKeys(db: Queryable): Promise<ApiKey[]> {
  const { rows } = await db.query<ApiKeyRow>(
    `select ${columns} from sluice.api_keys order by created_at desc, id`,
  );
  return rows;
}

export async function findApiKey(db: Queryable, id: string): Promise<ApiKey | undefined> {
  const { rows } = await db.query<ApiKeyRow>(`select ${columns} from sluice.api_keys where id = $1::text`, [
    id,
  ]);
  return rows[0];
}

/** For good. One that is revoked already stays so since then. Undefined when there is none. */
export async function revokeApiKey(db: Queryable, id: string): Promise<ApiKey | undefined> {
  const { rows } = await db.query<ApiKeyRow>(
    `update sluice.api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1::text returning ${columns}`,
    [id],
  );
  return rows[0];
}

/**
 * Gives a key another secret, and takes the one before for `graceMs` more; one from before that ends at once. All else stays, so limits,
 * audit log and clients know it as the same. Undefined when there is none that could be used.
 */
export async function rotateApiKey(
  db: Queryable,
  id: string,
  graceMs: number,
): Promise<(ApiKey & Pick<MadeApiKey, 'key'>) | undefined> {
  const made = makeApiKey(id);
  const { rows } = await db.query<ApiKeyRow>(
    `update sluice.api_keys set previous_hash = hash, hash = $2::bytea,
       previous_until = now() + $3::double precision * interval '1 millisecond'
     where id = $1::text and revoked_at is null and (expires_at is null or expires_at > now()) returning ${columns}`,
    [id, made.hash, graceMs],
  );
  return rows[0] && { ...rows[0], key: made.key };
}

/** The keys that can be used, and whether there ever was one. */
export async function readApiKeys(db: Queryable): Promise<{ keys: ApiKeyCheck[]; any: boolean }> {
  const remaining = (column: string) => `(extract(epoch from ${column} - now()) * 1000)::double precision`;
  const { rows } = await db.query<Partial<ApiKeyCheck> & Record<string, unknown>>(
    `select k.*, any_key.found as "any" from (select exists (select from sluice.api_keys) as found) any_key
     left join (
       select id, name, scopes, collections, ${limitColumns}, hash, previous_hash as "previousHash",
         ${remaining('previous_until')} as "previousMs", ${remaining('expires_at')} as "expiresMs"
       from sluice.api_keys where revoked_at is null and (expires_at is null or expires_at > now())
     ) k on true`,
  );
  const keys = rows.filter((row): row is typeof row & ApiKeyCheck => row.id !== null);
  return { keys, any: rows[0]?.any === true };
}

/** Notes that the keys were used, unless that was noted within a minute. */
export async function touchApiKeys(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query(
    `update sluice.api_keys set last_used_at = now()
     where id = any($1::text[]) and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
    [ids],
  );
}
