import { fileURLToPath } from 'node:url';
import { importTransformers, type Transformers } from '../../onnx-runtime/transformers.ts';
import { EmbeddingError } from '../embedding-error.ts';

/**
 * @param directory the only place from which it will read models
 * @throws EmbeddingError `model_unavailable` where the package is not installed, or has no binary for this machine
 */
export async function loadTransformers(directory: string): Promise<Transformers> {
  const transformers = await importTransformers().catch((error: unknown) => {
    throw cannotImport(error as NodeJS.ErrnoException);
  });
  // Each of these alone would do: what is not on disk is not there.
  Object.assign(transformers.env, {
    allowLocalModels: true,
    allowRemoteModels: false,
    localModelPath: directory,
    fetch: () => Promise.reject(new Error('models are read from disk only')),
    useFSCache: false,
    useBrowserCache: false,
    useWasmCache: false,
    // It would print the tokens of a text that it fails with.
    logLevel: transformers.LogLevel.NONE,
  });
  return transformers;
}

function cannotImport(error: NodeJS.ErrnoException): EmbeddingError {
  const folder = fileURLToPath(new URL('../../onnx-runtime', import.meta.url));
  const missing = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND';
  const reason = missing ? 'is not installed' : `cannot be loaded (${error.message})`;
  return new EmbeddingError(
    'model_unavailable',
    `ONNX models need @huggingface/transformers, which ${reason}; to install it: npm install --no-save --prefix ${folder}`,
    { cause: error },
  );
}
