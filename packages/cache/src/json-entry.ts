const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/**
 * Null for what is not JSON. `parse` says whether the value still has the shape that is expected, as an older release
 * may have written it: what it throws for is null as well.
 */
export function decodeJson<T>(bytes: Uint8Array, parse: (value: unknown) => T): T | null {
  try {
    return parse(JSON.parse(decoder.decode(bytes)));
  } catch {
    return null;
  }
}
