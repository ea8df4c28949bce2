import { EmbeddingError } from '../embedding-error.ts';

/** A model is named by its folder. Names come from callers of the API: none may lead out of the folder of all models. */
export function isOnnxModelName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(name);
}

/** @throws EmbeddingError `model_unavailable` */
export function checkOnnxModelName(name: string): string {
  if (isOnnxModelName(name)) return name;
  throw new EmbeddingError(
    'model_unavailable',
    `${JSON.stringify(name.slice(0, 200))} is no name of an ONNX model: expected that of a sub-folder, of letters, digits, ., _ and -`,
  );
}
