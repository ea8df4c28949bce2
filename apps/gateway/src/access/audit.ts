import type { Queryable } from '@sluice/pool';
import { recordAudit } from '@sluice/store';
import type { Logger } from '@sluice/telemetry';
import type { Request } from 'express';

export interface AuditedAction {
  /** `noun.verb`. */
  action: string;
  target: string | null;
  details?: Record<string, unknown>;
}

/** Tells the audit log and the log who has done what. `db`: the transaction that does it, where there is one. */
export async function audit(
  db: Queryable,
  log: Logger,
  { caller, ip, id }: Request<never> | Request,
  { action, target, details = {} }: AuditedAction,
): Promise<void> {
  await recordAudit(db, {
    action,
    target,
    details,
    keyId: caller.keyId ?? null,
    keyName: caller.name,
    address: ip ?? null,
    requestId: id,
  });
  log.info(
    { audit: true, request_id: id, key_id: caller.keyId, address: ip, action, target, ...details },
    action,
  );
}
