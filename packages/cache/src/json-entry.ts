import type { Cache } from './cache.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * A value that was stored with `setJson`, or null. `parse` says whether it still has the shape that is expected, as an
 * older release may have written it: what it throws for is a miss.
 */
export async function getJson<T>(cache: Cache, key: string, parse: (value: unknown) => T): Promise<T | null> {
  const bytes = await cache.get(key);
  if (bytes === null) return null;
  try {
    return parse(JSON.parse(decoder.decode(bytes)));
  } catch {
    return null;
  }
}

export async function setJson(
  cache: Cache,
  key: string,
  value: unknown,
  options: { ttlMs: number },
): Promise<void> {
  await cache.set(key, encoder.encode(JSON.stringify(value)), options);
}
