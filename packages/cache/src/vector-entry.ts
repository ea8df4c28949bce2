import type { Cache } from './cache.ts';

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** A vector that was stored with `setVector`; null also when it does not have `dimensions` elements. */
export async function getVector(
  cache: Pick<Cache, 'get'>,
  key: string,
  dimensions: number,
): Promise<Float32Array | null> {
  const bytes = (await cache.get(key))?.value;
  if (bytes?.byteLength !== dimensions * BYTES) return null;
  // Copied (`slice` of a Buffer would not): the bytes may begin anywhere, floats only at multiples of four.
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** Four bytes an element, in the byte order of the machine: caches are not shared between different ones. */
export async function setVector(
  cache: Pick<Cache, 'set'>,
  key: string,
  vector: Float32Array,
  options: { ttlMs: number },
): Promise<void> {
  await cache.set(key, new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), options);
}
