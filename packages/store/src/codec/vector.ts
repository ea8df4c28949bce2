/**
 * pgvector's binary format (`vector_send`, `halfvec_send`): int16 dimensions, int16 zero, then the elements as
 * big-endian float4 or float2.
 */
export type VectorStorage = 'vector' | 'halfvec';

const headerBytes = 4;

export function encodeVector(values: Float32Array, storage: VectorStorage = 'vector'): Buffer {
  const width = storage === 'vector' ? 4 : 2;
  const buffer = Buffer.allocUnsafe(headerBytes + width * values.length);
  buffer.writeUInt16BE(values.length, 0);
  buffer.writeUInt16BE(0, 2);
  if (storage === 'vector') {
    // Copy and swap in bulk: per-element writes cost three times as much at 1 536 dimensions.
    const body = buffer.subarray(headerBytes);
    body.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    body.swap32();
  } else {
    const view = new DataView(buffer.buffer, buffer.byteOffset + headerBytes);
    for (let i = 0; i < values.length; i += 1) view.setFloat16(i * 2, values[i] as number);
  }
  return buffer;
}

export function decodeVector(buffer: Buffer, storage: VectorStorage = 'vector'): Float32Array {
  const dimensions = buffer.readUInt16BE(0);
  const view = new DataView(buffer.buffer, buffer.byteOffset + headerBytes);
  const values = new Float32Array(dimensions);
  for (let i = 0; i < dimensions; i += 1) {
    values[i] = storage === 'vector' ? view.getFloat32(i * 4) : view.getFloat16(i * 2);
  }
  return values;
}
