import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { HttpProblem } from '../http-problem.ts';

const digest = (key: string) => createHash('sha256').update(key).digest();

/** The key of `Authorization: Bearer KEY`, or the password of `Basic`, which is what a browser can send. */
function presentedKey(header: string | undefined): string | undefined {
  const [, scheme, value] = /^(bearer|basic)\s+(\S+)$/i.exec(header ?? '') ?? [];
  if (scheme?.toLowerCase() === 'bearer') return value;
  if (!value) return undefined;
  const credentials = Buffer.from(value, 'base64').toString('utf8');
  return credentials.slice(credentials.indexOf(':') + 1);
}

/** Asks for one of the keys, if there are any. Comparison takes the same time whichever byte differs. */
export function authenticate(keys: readonly string[], { browser = false } = {}): RequestHandler {
  const digests = keys.map(digest);
  return (request, response, next) => {
    if (digests.length === 0) return next();
    const key = presentedKey(request.get('authorization'));
    const presented = digest(key ?? '');
    const known = digests.filter((candidate) => timingSafeEqual(candidate, presented)).length > 0;
    if (known) return next();
    response.set(
      'www-authenticate',
      browser ? 'Basic realm="Sluice: any user, an API key as password"' : 'Bearer',
    );
    const detail = key ? 'this API key is not known' : 'send an API key as "Authorization: Bearer KEY"';
    throw new HttpProblem('unauthorized', detail);
  };
}
