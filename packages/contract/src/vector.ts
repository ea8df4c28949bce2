import { z } from 'zod';

const maxDimensions = 4_000;
const bytesEach = 4;

/** Little-endian, as the embeddings API of OpenAI gives them. */
function decode(base64: string): Float32Array | undefined {
  const bytes = Buffer.from(base64, 'base64');
  // Buffer skips what is no base64.
  if (bytes.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')) return undefined;
  if (bytes.length % bytesEach !== 0) return undefined;
  // Copied, as a view has to begin at a multiple of four.
  const floats = new Float32Array(bytes.length / bytesEach);
  new Uint8Array(floats.buffer).set(bytes);
  return floats;
}

function read(value: unknown): Float32Array | undefined {
  if (typeof value === 'string') return decode(value);
  if (!Array.isArray(value) || value.length > maxDimensions) return undefined;
  // What is no number becomes NaN, also what Number() would take for one.
  return Float32Array.from(value, (member) => (typeof member === 'number' ? member : Number.NaN));
}

/** Without a schema of its members, which costs a millisecond for a vector of 1 536. */
export const vectorSchema = z
  .unknown()
  .transform((value, context) => {
    const floats = read(value);
    if (!floats || floats.length === 0 || floats.length > maxDimensions) {
      context.addIssue(
        `expected 1 to ${maxDimensions} numbers, or as many little-endian 32-bit floats in base64`,
      );
      return z.NEVER;
    }
    const bad = floats.findIndex((float) => !Number.isFinite(float));
    if (bad < 0) return floats;
    const path = typeof value === 'string' ? [] : [bad];
    const which = typeof value === 'string' ? `; number ${bad} is none` : '';
    context.addIssue({
      code: 'custom',
      path,
      message: `expected a finite number that a 32-bit float can hold${which}`,
    });
    return z.NEVER;
  })
  .meta({
    description:
      'A vector of the collection’s model and dimensions: numbers, or base64 of their little-endian 32-bit floats',
    override: {
      anyOf: [
        { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: maxDimensions },
        { type: 'string', contentEncoding: 'base64' },
      ],
    },
  });
