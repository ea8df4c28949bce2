import type { ApiKeyBody, NewApiKeyBody } from '@sluice/contract';
import { apiKeyPrefix } from './api-key-format.ts';
import type { ApiKey, NewApiKey } from './api-keys.ts';

const iso = (date: Date | null) => date?.toISOString() ?? null;

function stateOf({ revokedAt, expiresAt }: ApiKey): ApiKeyBody['state'] {
  if (revokedAt) return 'revoked';
  return expiresAt && expiresAt.getTime() <= Date.now() ? 'expired' : 'active';
}

/** A key as the API shows it, and the command line, which can do without a gateway. */
export function presentApiKey(key: ApiKey): ApiKeyBody {
  return {
    id: key.id,
    prefix: apiKeyPrefix(key.id),
    name: key.name,
    scopes: [...key.scopes],
    collections: key.collections && [...key.collections],
    state: stateOf(key),
    limits: {
      requests_per_minute: key.requestsPerMinute,
      uploads_per_day: key.uploadsPerDay,
      upload_bytes_per_day: key.uploadBytesPerDay,
    },
    created_by: key.createdBy,
    created_at: key.createdAt.toISOString(),
    expires_at: iso(key.expiresAt),
    revoked_at: iso(key.revokedAt),
    last_used_at: iso(key.lastUsedAt),
    previous_until: iso(key.previousUntil),
  };
}

export function readNewApiKey(body: NewApiKeyBody, createdBy: string): NewApiKey {
  return {
    name: body.name,
    scopes: body.scopes,
    collections: body.collections ?? null,
    requestsPerMinute: body.limits.requests_per_minute,
    uploadsPerDay: body.limits.uploads_per_day,
    uploadBytesPerDay: body.limits.upload_bytes_per_day,
    expiresAt: body.expires_at ? new Date(body.expires_at) : null,
    createdBy,
  };
}
