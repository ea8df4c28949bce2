import { type AuditEntryBody, auditListQuerySchema } from '@sluice/contract';
import { type AuditEntry, listAudit } from '@sluice/store';
import { Router } from 'express';
import { methodNotAllowed } from '../middleware/problems.ts';
import type { Services } from '../services.ts';
import { validate } from '../validate.ts';

function presentEntry({ at, keyId, keyName, requestId, ...entry }: AuditEntry): AuditEntryBody {
  const { id, action, target, details, address } = entry;
  return {
    id,
    at: at.toISOString(),
    action,
    target,
    details,
    key_id: keyId,
    key_name: keyName,
    address,
    request_id: requestId,
  };
}

export function auditRoutes({ pool }: Services): Router {
  const router = Router();
  router
    .route('/')
    .get(async (request, response) => {
      const { action, cursor, limit } = validate(auditListQuerySchema, request.query);
      const before = cursor === undefined ? undefined : Number(cursor);
      const entries = await listAudit(pool, { before, action, limit });
      const last = entries.length === limit ? entries.at(-1) : undefined;
      response.json({ entries: entries.map(presentEntry), next_cursor: last ? String(last.id) : null });
    })
    .all(methodNotAllowed('GET'));
  return router;
}
