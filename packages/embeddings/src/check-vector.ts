import { EmbeddingError } from './embedding-error.ts';

/** @throws EmbeddingError `wrong_dimensions` or `invalid_vector` */
export function checkVector(vector: Float32Array, textIndex: number, dimensions: number): Float32Array {
  if (vector.length !== dimensions) {
    throw new EmbeddingError(
      'wrong_dimensions',
      `The model answers vectors of ${vector.length} dimensions, ${dimensions} were expected.`,
    );
  }
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (Number.isFinite(squares) && squares > 0) return vector;
  throw new EmbeddingError('invalid_vector', 'A vector of the answer is zero or not finite.', { textIndex });
}
