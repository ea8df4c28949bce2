import type { Request } from 'express';
import { dashboardPath } from './dashboard-links.ts';

const plainPrefix = /^(\/[a-z0-9_-]+)*$/;

function segments(path: string): string[] {
  return path.split('/').filter(Boolean);
}

/**
 * The route that took a request, as it was written down: `/v1/uploads/:id`. What no route took is `/*`, whatever its path was: there are as
 * many templates as there are routes.
 *
 * The mount path is taken from the request, since Express has taken it back when an error has passed: what is left of the path in front
 * of the route's own part.
 */
export function routeTemplate(request: Pick<Request, 'originalUrl' | 'route'>): string {
  const path = request.originalUrl.split('?', 1)[0]?.toLowerCase() ?? '';
  // A whole application of somebody else's.
  if (path === dashboardPath || path.startsWith(`${dashboardPath}/`)) return `${dashboardPath}/*`;
  const own: unknown = request.route?.path;
  if (typeof own !== 'string') return '/*';
  const ownSegments = segments(own);
  const given = segments(path);
  const prefix = given.slice(0, Math.max(0, given.length - ownSegments.length));
  const mount = prefix.length > 0 ? `/${prefix.join('/')}` : '';
  if (!plainPrefix.test(mount)) return '/*';
  return `${mount}/${ownSegments.join('/')}`.replace(/(.)\/$/, '$1');
}
