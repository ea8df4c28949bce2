import { endianness } from 'node:os';
import { checkVector } from './check-vector.ts';
import { EmbeddingError } from './embedding-error.ts';

const littleEndian = endianness() === 'LE';

/**
 * Checks what a provider answered and puts it in the order of the texts.
 *
 * @param answer the parsed body: `{data: [{index, embedding}]}`, the embedding as base64 of little-endian float32 or as numbers
 * @returns `count` vectors of `dimensions` finite numbers
 * @throws EmbeddingError `invalid_answer`, `short_answer`, `wrong_dimensions` or `invalid_vector`
 */
export function decodeAnswer(answer: unknown, count: number, dimensions: number): Float32Array[] {
  const data = (answer as { data?: unknown } | null | undefined)?.data;
  if (!Array.isArray(data)) {
    throw new EmbeddingError(
      'invalid_answer',
      'The embeddings endpoint answered without a list named `data`.',
    );
  }
  const vectors = new Array<Float32Array | undefined>(count).fill(undefined);
  for (const [position, item] of data.entries()) {
    const { index = position, embedding } = (item ?? {}) as { index?: unknown; embedding?: unknown };
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count) {
      throw new EmbeddingError(
        'invalid_answer',
        `The answer has an item of index ${index} for ${count} texts.`,
      );
    }
    if (vectors[index] !== undefined) {
      throw new EmbeddingError('invalid_answer', `The answer has two items of index ${index}.`);
    }
    vectors[index] = checkVector(decodeVector(embedding, index), index, dimensions);
  }
  return vectors.map((vector) => {
    if (vector !== undefined) return vector;
    const received = vectors.filter((each) => each !== undefined).length;
    throw new EmbeddingError('short_answer', `${count} texts were sent, ${received} vectors came back.`);
  });
}

function decodeVector(embedding: unknown, textIndex: number): Float32Array {
  // Float32Array.from would read null as 0 and hide that a server could not write NaN as JSON.
  if (Array.isArray(embedding)) {
    return Float32Array.from(embedding, (value) => (typeof value === 'number' ? value : Number.NaN));
  }
  if (typeof embedding !== 'string') {
    throw new EmbeddingError('invalid_answer', 'An embedding is neither base64 nor a list of numbers.', {
      textIndex,
    });
  }
  // A small Buffer is a view into a shared pool at any offset; a Float32Array needs a multiple of four, hence the copy.
  const bytes = Buffer.from(embedding, 'base64');
  if (bytes.length % 4 !== 0) {
    throw new EmbeddingError(
      'invalid_answer',
      `An embedding is ${bytes.length} bytes long, not a multiple of 4.`,
      {
        textIndex,
      },
    );
  }
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  if (!littleEndian) Buffer.from(copy.buffer).swap32();
  return new Float32Array(copy.buffer);
}
