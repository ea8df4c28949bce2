import { createHash } from 'node:crypto';

/** The same request always gives the same text, whatever the order of an object's members. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  // Stays an object: {"a":1} and [["a",1]] are different filters.
  const members = Object.entries(value).map(([key, member]) => [key, canonical(member)] as const);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `kind` is what the cache counts its lookups by. */
export function cacheKey(kind: string, ...parts: unknown[]): string {
  return `${kind}:${createHash('sha256')
    .update(JSON.stringify(parts.map(canonical)))
    .digest('base64url')}`;
}
