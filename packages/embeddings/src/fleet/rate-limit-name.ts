import { createHash } from 'node:crypto';

/**
 * Providers limit a model for an account, so that is what has a limit here: endpoint, model and key. The key goes in as a hash
 * only, since names of Redis keys show up in monitors and backups.
 */
export function rateLimitName(limited: {
  baseUrl: string | undefined;
  model: string;
  apiKey: string;
}): string {
  const { baseUrl = '', model, apiKey } = limited;
  const identity = JSON.stringify([baseUrl.replace(/\/+$/, ''), model, apiKey]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 32);
}
