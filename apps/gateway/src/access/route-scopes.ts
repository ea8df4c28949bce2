import type { Scope } from '@sluice/store';

type Rule = readonly [methods: string, path: string, needed: Scope | 'public'];

/**
 * What a request needs; the first rule that fits holds. `:name` stands for one segment, `**` at the end for any number of them, none
 * included. What no rule fits needs `admin`, so a route that somebody forgets here is closed and not open.
 */
const routeScopes: readonly Rule[] = [
  ['GET', '/healthz', 'public'],
  ['GET', '/readyz', 'public'],
  // The page and the reference hold no data; they ask the API for it with the key of whoever looks at them.
  ['GET', '/', 'public'],
  ['GET', '/index.html', 'public'],
  ['GET', '/icon.svg', 'public'],
  ['GET', '/assets/**', 'public'],
  ['GET', '/openapi.json', 'public'],
  ['GET', '/docs/**', 'public'],

  ['GET', '/metrics', 'monitor'],
  ['GET', '/monitoring/**', 'monitor'],
  ['GET', '/admin/queues/**', 'monitor'],

  ['POST', '/v1/query', 'query'],
  ['GET', '/v1/documents/**', 'query'],
  ['PATCH DELETE', '/v1/documents/:id', 'ingest'],
  ['GET', '/v1/collections', 'query'],
  ['GET', '/v1/collections/:name', 'query'],
  ['GET', '/v1/collections/:name/quality', 'query'],

  ['GET POST', '/v1/uploads', 'ingest'],
  ['POST', '/v1/uploads/retry', 'ingest'],
  ['GET DELETE', '/v1/uploads/:id', 'ingest'],
  ['GET', '/v1/uploads/:id/events', 'ingest'],
  ['POST', '/v1/uploads/:id/cancel', 'ingest'],
  ['POST', '/v1/uploads/:id/retry', 'ingest'],
  ['POST', '/v1/batches', 'ingest'],
  ['GET', '/v1/batches/:id', 'ingest'],
  ['GET', '/v1/batches/:id/uploads', 'ingest'],
  ['GET', '/v1/batches/:id/events', 'ingest'],
  ['POST', '/v1/batches/:id/cancel', 'ingest'],
  ['GET', '/v1/receipts/:id', 'ingest'],

  ['POST PATCH DELETE', '/v1/collections/**', 'admin'],
  ['GET POST DELETE', '/v1/keys/**', 'admin'],
  ['GET', '/v1/audit', 'admin'],
  ['POST PUT PATCH DELETE', '/admin/queues/**', 'admin'],
];

// As Express compares paths: letters of either case, and a slash at the end or none.
const segmentsOf = (path: string) => path.toLowerCase().replace(/\/$/, '').split('/');

// Every request asks, so what can be done once is.
const compiled = routeScopes.map(([methods, path, needed]) => {
  const segments = segmentsOf(path);
  const open = segments.at(-1) === '**';
  return { methods: methods.split(' '), segments: open ? segments.slice(0, -1) : segments, open, needed };
});

function fits({ segments, open }: (typeof compiled)[number], given: readonly string[]): boolean {
  if (open ? given.length < segments.length : given.length !== segments.length) return false;
  return segments.every((segment, i) => (segment.startsWith(':') ? given[i] !== '' : segment === given[i]));
}

export function requiredScope(method: string, path: string): Scope | 'public' {
  const asked = method === 'HEAD' ? 'GET' : method;
  const given = segmentsOf(path);
  const rule = compiled.find((one) => one.methods.includes(asked) && fits(one, given));
  return rule?.needed ?? 'admin';
}
