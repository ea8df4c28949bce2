import type { RequestHandler } from 'express';
import helmet from 'helmet';

const strict = {
  defaultSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  // The server speaks plain HTTP; whoever puts TLS in front decides about upgrades.
  upgradeInsecureRequests: null,
};
// Swagger UI and Bull Board style elements in place, and Bull Board starts from a script in its page.
const relaxed = {
  ...strict,
  styleSrc: ["'self'", "'unsafe-inline'"],
  scriptSrc: ["'self'", "'unsafe-inline'"],
};

/** What keeps a browser careful, on every answer. `pages`: below these the pages of others are served, which need more. */
export function securityHeaders(pages: readonly string[]): RequestHandler {
  const forOurs = helmet({ contentSecurityPolicy: { directives: strict }, hsts: false });
  const forPages = helmet({ contentSecurityPolicy: { directives: relaxed }, hsts: false });
  return function setSecurityHeaders(request, response, next) {
    const path = request.path.toLowerCase();
    const below = pages.some((page) => path === page || path.startsWith(`${page}/`));
    (below ? forPages : forOurs)(request, response, next);
  };
}
