import type { Tensor } from '../../onnx-runtime/transformers.ts';
import { EmbeddingError } from '../embedding-error.ts';
import type { ModelSettings } from './model-settings.ts';
import { poolTokens } from './pooling.ts';

/**
 * Models exported with their pooling answer `sentence_embedding`; the others the states of all tokens.
 *
 * @param ids of the texts of the run, the longest first
 * @throws EmbeddingError `model_unavailable`
 */
export function vectorsOf(
  outputs: Record<string, Tensor | undefined>,
  ids: readonly number[][],
  { pooling, otherModules }: ModelSettings,
  folder: string,
): Float32Array[] {
  const pooled = outputs.sentence_embedding;
  const states = pooled ?? outputs.last_hidden_state ?? outputs.token_embeddings;
  if (!states || states.dims.length !== (pooled ? 2 : 3)) throw unknownOutputs(outputs, folder);
  const { data } = states.to('float32');
  const dimensions = states.dims.at(-1)!;
  if (pooled) return ids.map((_, row) => data.slice(row * dimensions, (row + 1) * dimensions));
  if (otherModules.length > 0) {
    const message = `the model in ${folder} needs ${otherModules.join(' and ')}, which is not part of its ONNX file`;
    throw new EmbeddingError('model_unavailable', message);
  }
  const width = ids[0]!.length;
  return ids.map((each, row) => {
    const start = row * width * dimensions;
    return poolTokens(data.subarray(start, start + each.length * dimensions), dimensions, pooling);
  });
}

function unknownOutputs(outputs: Record<string, Tensor | undefined>, folder: string): EmbeddingError {
  const found = Object.entries(outputs).map(([name, tensor]) => `${name} [${tensor?.dims}]`);
  return new EmbeddingError(
    'model_unavailable',
    `the model in ${folder} answers ${found.join(', ')}: expected last_hidden_state or sentence_embedding`,
  );
}
