import type { Queryable } from '@sluice/pool';

export interface NewAuditEntry {
  /** What was done, as `noun.verb`. */
  action: string;
  target: string | null;
  details: Record<string, unknown>;
  keyId: string | null;
  keyName: string;
  address: string | null;
  requestId: string | null;
}

export interface AuditEntry extends NewAuditEntry {
  id: number;
  at: Date;
}

/** In the transaction of what it tells, where there is one: then neither is there without the other. */
export async function recordAudit(db: Queryable, entry: NewAuditEntry): Promise<void> {
  await db.query(
    `insert into sluice.audit_log (action, target, details, key_id, key_name, address, request_id)
     values ($1::text, $2::text, $3::jsonb, $4::text, $5::text, $6::text, $7::text)`,
    [
      entry.action,
      entry.target,
      JSON.stringify(entry.details),
      entry.keyId,
      entry.keyName,
      entry.address,
      entry.requestId,
    ],
  );
}

/** Newest first, those before the entry `before`. */
export async function listAudit(
  db: Queryable,
  { before, action, limit }: { before?: number | undefined; action?: string | undefined; limit: number },
): Promise<AuditEntry[]> {
  const { rows } = await db.query<AuditEntry & Record<string, unknown>>(
    `select id, at, action, target, details, key_id as "keyId", key_name as "keyName", address, request_id as "requestId"
     from sluice.audit_log where ($1::bigint is null or id < $1::bigint) and ($2::text is null or action = $2::text)
     order by id desc limit $3::int`,
    [before ?? null, action ?? null, limit],
  );
  return rows;
}

/** Returns how many. */
export async function deleteOldAudit(db: Queryable, olderThanMs: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from sluice.audit_log where at < now() - $1::double precision * interval '1 millisecond'`,
    [olderThanMs],
  );
  return rowCount;
}
