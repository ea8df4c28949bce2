import { EmbeddingError } from './embedding-error.ts';
import type { EmbeddingProvider } from './embedding-provider.ts';
import { checkOnnxModelName } from './onnx/model-name.ts';
import { type ModelProcess, startModelProcess } from './onnx/model-process.ts';

export interface OnnxModelsOptions {
  /** Holds one sub-folder a model, named like the model. Nothing is ever downloaded into it. */
  directory: string;
  /** Cores that one run may use. Default: all. More is faster for one request, and leaves less for the rest of the machine. */
  threads?: number | undefined;
}

/** ONNX models, which share one process beside this one: it starts, and each of them is loaded, with its first text. */
export interface OnnxModels {
  /** @throws EmbeddingError `model_unavailable` for a name that could not be one of a sub-folder */
  provider(options: { model: string; dimensions: number }): EmbeddingProvider;
  /** Fails what is under way with `closed` and frees the memory. */
  close(): Promise<void>;
}

export function createOnnxModels(options: OnnxModelsOptions): OnnxModels {
  let running: ModelProcess | undefined;
  let closed = false;

  /** One that died, out of memory for instance, is replaced. */
  function liveProcess(): ModelProcess {
    if (closed) throw new EmbeddingError('closed', 'The ONNX models are closed.');
    if (!running?.isAlive()) running = startModelProcess(options);
    return running;
  }

  return {
    provider: ({ model, dimensions }) => ({
      name: 'onnx',
      model: checkOnnxModelName(model),
      dimensions,
      // There is no such limit here. These keep a request within some seconds on a few cores.
      limits: { maxTexts: 64, maxTokens: 16_384 },
      async embed(texts, { purpose, signal }) {
        signal?.throwIfAborted();
        if (texts.length === 0) return [];
        return liveProcess().embed({ model, dimensions, texts, purpose }, signal);
      },
    }),
    async close() {
      closed = true;
      await running?.close();
    },
  };
}
