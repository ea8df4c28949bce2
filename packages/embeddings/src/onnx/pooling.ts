import { z } from 'zod';
import { EmbeddingError } from '../embedding-error.ts';
import { readModelFile } from './model-file.ts';

/** How one vector is made of those of all tokens. */
export type Pooling = 'mean' | 'cls' | 'max' | 'last';

/** By the names of sentence-transformers. */
const poolings: Readonly<Record<string, Pooling>> = {
  mean: 'mean',
  mean_tokens: 'mean',
  cls: 'cls',
  cls_token: 'cls',
  max: 'max',
  max_tokens: 'max',
  lasttoken: 'last',
};

const poolingSchema = z.record(z.string(), z.unknown());

/**
 * Reads the `config.json` of a pooling module: `{"pooling_mode": "mean"}`, or one flag `pooling_mode_…` a way.
 *
 * @throws EmbeddingError `model_unavailable` when there is none, or it asks for what is not known here
 */
export async function readPooling(folder: string, path: string): Promise<Pooling> {
  const file = `${path}/config.json`;
  const config = await readModelFile(folder, file, poolingSchema);
  if (!config) throw unusable(`${folder} has no ${file}, which its modules.json names`);
  const modes = Object.entries(config)
    .filter(([key, value]) => key.startsWith('pooling_mode_') && value === true)
    .map(([key]) => key.slice('pooling_mode_'.length));
  if (typeof config.pooling_mode === 'string') modes.splice(0, modes.length, config.pooling_mode);
  const pooling = modes.length === 1 ? poolings[modes[0]!] : undefined;
  if (!pooling) {
    throw unusable(
      `${folder}/${file} asks for pooling by ${modes.join(' and ') || 'nothing'}: only one of mean, cls, max and lasttoken is known`,
    );
  }
  if (config.include_prompt === false) {
    throw unusable(`${folder}/${file} leaves the prompt out of the pooling, which is not known here`);
  }
  return pooling;
}

function unusable(message: string): EmbeddingError {
  return new EmbeddingError('model_unavailable', message);
}

/**
 * @param states the vectors of one text's tokens, one after the other, without padding
 * @returns one vector of `dimensions`
 */
export function poolTokens(states: Float32Array, dimensions: number, pooling: Pooling): Float32Array {
  if (pooling === 'cls') return states.slice(0, dimensions);
  if (pooling === 'last') return states.slice(-dimensions);
  // In double precision: a sum of thousands of tokens would lose digits otherwise.
  const sums = Float64Array.from(states.subarray(0, dimensions));
  for (let at = dimensions; at < states.length; at += 1) {
    const component = at % dimensions;
    const value = states[at]!;
    if (pooling === 'mean') sums[component]! += value;
    else if (value > sums[component]!) sums[component] = value;
  }
  const divisor = pooling === 'mean' ? states.length / dimensions : 1;
  return Float32Array.from(sums, (sum) => sum / divisor);
}

/** In place; a vector of zeros stays one. */
export function normalize(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  if (length > 0) for (const [index, value] of vector.entries()) vector[index] = value / length;
  return vector;
}
