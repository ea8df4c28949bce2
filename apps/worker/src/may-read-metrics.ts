import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ApiKeyRing } from '@sluice/store';

export interface MetricsAccess {
  /** Of the environment: good for everything. */
  bootstrapKeys: readonly string[];
  ring: Pick<ApiKeyRing, 'any' | 'find' | 'refresh'>;
  /** Whether only this machine can reach the port. Then no key is asked for before there is one. */
  local: boolean;
}

const digest = (key: string) => createHash('sha256').update(key).digest();
const loopbackHost = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i;

/**
 * Whether a request may read what is not for everybody, as a gateway decides it: with a key of the environment, or one of the table with the
 * scope `monitor`. Comparing takes the same time whichever byte differs. Without any key only under a name of this machine, since a web
 * page may point its own name at 127.0.0.1. Rejects where the database does not say which keys there are.
 */
export async function mayReadMetrics(
  { bootstrapKeys, ring, local }: MetricsAccess,
  { headers }: IncomingMessage,
): Promise<boolean> {
  if (local && bootstrapKeys.length === 0) {
    if (ring.any === undefined) await ring.refresh();
    if (!ring.any) return loopbackHost.test(headers.host ?? '');
  }
  const [, key] = /^bearer\s+(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (!key) return false;
  const presented = digest(key);
  if (bootstrapKeys.filter((candidate) => timingSafeEqual(digest(candidate), presented)).length > 0)
    return true;
  const scopes = (await ring.find(key))?.check.scopes ?? [];
  return scopes.includes('monitor') || scopes.includes('admin');
}
