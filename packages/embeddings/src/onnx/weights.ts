import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddingError } from '../embedding-error.ts';

/** Where the ONNX file of a model is, in the words of `@huggingface/transformers`. */
export interface Weights {
  readonly subfolder: string;
  readonly dtype: string;
}

/** Names of the ONNX file by element type, the most exact first. */
const suffixes = {
  fp32: '',
  fp16: '_fp16',
  q8: '_quantized',
  int8: '_int8',
  uint8: '_uint8',
  q4: '_q4',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
} as const;

/** The hub keeps ONNX files in `onnx/`, exporters write them beside the configuration. */
const subfolders = ['onnx', ''];

/**
 * @param wanted an element type that the model's own configuration asks for
 * @throws EmbeddingError `model_unavailable`
 */
export async function findWeights(folder: string, wanted: string | undefined): Promise<Weights> {
  const dtypes = Object.entries(suffixes).filter(([dtype]) => wanted === undefined || dtype === wanted);
  for (const [dtype, suffix] of dtypes) {
    for (const subfolder of subfolders) {
      if (await exists(join(folder, subfolder, `model${suffix}.onnx`))) return { subfolder, dtype };
    }
  }
  const names =
    dtypes.map(([, suffix]) => `model${suffix}.onnx`).join(', ') || `a known dtype, not ${wanted}`;
  throw new EmbeddingError(
    'model_unavailable',
    `${folder} has no ONNX file: expected ${names}, in onnx/ or in the folder itself`,
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
