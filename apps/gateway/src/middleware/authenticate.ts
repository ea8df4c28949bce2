import type { Request, RequestHandler, Response } from 'express';
import type { Gatekeeper } from '../access/gatekeeper.ts';
import { requiredScope } from '../access/route-scopes.ts';
import { dashboardPath } from '../dashboard-links.ts';
import { HttpProblem } from '../http-problem.ts';

/** The key of `Authorization: Bearer KEY`, or the password of `Basic`, which is what a browser can send. */
function presentedKey(header: string | undefined): string | undefined {
  const [, scheme, value] = /^(bearer|basic)\s+(\S+)$/i.exec(header ?? '') ?? [];
  if (scheme?.toLowerCase() === 'bearer') return value;
  if (!value) return undefined;
  const credentials = Buffer.from(value, 'base64').toString('utf8');
  return credentials.slice(credentials.indexOf(':') + 1);
}

/** A browser asks its user for the first one: for the dashboard, and where a link leads from there to the API. */
function challenge({ path, headers }: Request): string {
  const page = path.toLowerCase().startsWith(dashboardPath) || /\btext\/html\b/.test(headers.accept ?? '');
  return page ? 'Basic realm="Sluice: any user, an API key as password"' : 'Bearer';
}

/** What is still arriving or being sent; an answer that is about to be given is given. */
function cutOff(request: Request, response: Response): void {
  if (response.headersSent || !request.complete) response.destroy();
}

/**
 * Finds out who sends a request, unless it is one that is open to everybody. One that goes on while its key is revoked or expires, such as
 * an event stream, is cut off.
 */
export function authenticate(gatekeeper: Gatekeeper): RequestHandler {
  return async function identifyCaller(request, response, next) {
    if (requiredScope(request.method, request.path) === 'public') return next();
    try {
      const key = presentedKey(request.get('authorization'));
      request.caller = await gatekeeper.identify(key, request.ip);
    } catch (error) {
      if (error instanceof HttpProblem && error.status === 401)
        response.set('www-authenticate', challenge(request));
      throw error;
    }
    const stop = gatekeeper.whenInvalid(request.caller, () => cutOff(request, response));
    response.once('close', stop);
    next();
  };
}
