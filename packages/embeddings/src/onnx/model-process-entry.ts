import { checkVector } from '../check-vector.ts';
import { EmbeddingError } from '../embedding-error.ts';
import { loadTransformers } from './load-transformers.ts';
import type { FromModelProcess, OnnxTask, ToModelProcess } from './messages.ts';
import { loadOnnxModel, type OnnxModel, type OnnxModelOptions } from './onnx-model.ts';

/**
 * The entry of the process of all ONNX models. Tasks are done one at a time, since one run uses all cores that it may; messages are
 * read between its parts.
 */
const options: OnnxModelOptions = JSON.parse(process.argv[2]!);
const models = new Map<string, Promise<OnnxModel>>();
const pending = new Set<number>();
let last: Promise<void> = Promise.resolve();

process.on('message', (message: ToModelProcess) => {
  if (message.type === 'cancel') pending.delete(message.id);
  else {
    pending.add(message.id);
    last = last.then(() => answer(message.id, message.task));
  }
});
process.on('disconnect', () => process.exit());
// A terminal sends these to the whole group: the parent finishes its work first, and that takes vectors.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

const send = (message: FromModelProcess) => process.send?.(message);

async function answer(id: number, task: OnnxTask): Promise<void> {
  if (!pending.has(id)) return;
  try {
    const vectors = await embed(task, () => !pending.has(id));
    if (vectors) send({ type: 'vectors', id, vectors });
  } catch (error) {
    const { code, message, textIndex } = toEmbeddingError(error);
    send({ type: 'failed', id, code, message, textIndex });
  } finally {
    pending.delete(id);
  }
}

async function embed(task: OnnxTask, isCancelled: () => boolean): Promise<Float32Array[] | undefined> {
  const model = await modelOf(task.model);
  const vectors = await model.embed(task.texts, task.purpose, isCancelled);
  for (const [index, vector] of vectors?.entries() ?? []) checkVector(vector, index, task.dimensions);
  return vectors;
}

/** A failure is forgotten: what is missing may be there the next time. */
function modelOf(name: string): Promise<OnnxModel> {
  const known = models.get(name);
  if (known) return known;
  const loading = loadTransformers(options.directory).then((transformers) =>
    loadOnnxModel(transformers, name, options),
  );
  models.set(name, loading);
  loading.catch(() => models.delete(name));
  return loading;
}

function toEmbeddingError(error: unknown): EmbeddingError {
  if (error instanceof EmbeddingError) return error;
  return new EmbeddingError('provider_unavailable', `the model failed: ${String(error)}`, { cause: error });
}
