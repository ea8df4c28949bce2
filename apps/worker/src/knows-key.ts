import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const digest = (key: string) => createHash('sha256').update(key).digest();
const loopbackHost = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i;

/**
 * Whether a request may read what is not for everybody: with one of the keys where there are any, which takes the same time whichever byte
 * differs; else only under a name of this machine, since a web page may point its own name at 127.0.0.1.
 */
export function knowsKey(keys: readonly string[], { headers }: IncomingMessage): boolean {
  if (keys.length === 0) return loopbackHost.test(headers.host ?? '');
  const [, key = ''] = /^bearer\s+(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const presented = digest(key);
  return keys.filter((candidate) => timingSafeEqual(digest(candidate), presented)).length > 0;
}
