import type { RequestHandler } from 'express';
import type { Gatekeeper } from '../access/gatekeeper.ts';
import { HttpProblem } from '../http-problem.ts';

const loopbackHost = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i;

/**
 * Keeps web pages of other sites out. Without keys, whatever reaches the port is trusted, so the Host header must name this
 * machine (a page that rebinds its DNS name to 127.0.0.1 still sends its own name). A page of another origin may not write, unless it is one of `allowed`.
 */
export function guardOrigin(
  { keysRequired }: Pick<Gatekeeper, 'keysRequired'>,
  allowed: readonly string[],
): RequestHandler {
  return function checkOrigin(request, _response, next) {
    const host = request.get('host') ?? '';
    if (!keysRequired() && !loopbackHost.test(host)) {
      throw new HttpProblem(
        'forbidden_origin',
        `without API keys only requests to localhost are served, not to "${host}"`,
      );
    }
    const origin = request.get('origin');
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const own = origin && URL.canParse(origin) && new URL(origin).host === host;
    if (!reads && origin && !own && !allowed.includes(origin)) {
      throw new HttpProblem('forbidden_origin', `pages of ${origin} may not write here`);
    }
    next();
  };
}
