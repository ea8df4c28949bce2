import {
  createEmbedder,
  createLocalProvider,
  createOnnxModels,
  createOpenAiProvider,
  type Embedder,
  EmbeddingError,
  type EmbeddingProvider,
  type EmbeddingRequestReport,
} from '@sluice/embeddings';
import type { Collection } from '@sluice/store';
import { createRateGovernors, type RateGovernorsOptions } from './rate-governors.ts';

export interface EmbeddersOptions extends RateGovernorsOptions {
  /** Undefined: collections of that provider cannot be served by this process. */
  openAi: { apiKey: string; baseUrl: string | undefined } | undefined;
  /** A folder with one sub-folder a model, and the cores that one may use. Undefined: as above. */
  onnx: { directory: string; threads: number | undefined } | undefined;
  timeoutMs: number;
  maxTexts: number;
  maxTokens: number;
  concurrency: number;
  /** Told of each request to a provider. Must not throw. */
  onRequest?(model: { provider: string; model: string }, report: EmbeddingRequestReport): void;
}

type Model = Pick<Collection, 'embeddingProvider' | 'embeddingModel' | 'dimensions'>;

/** One embedder a model, shared by all collections that are pinned to it, so that their texts share requests. */
export interface Embedders extends AsyncDisposable {
  /** Throws `EmbeddingError` when this process is not configured for the collection's provider. */
  for(model: Model): Embedder;
}

// How often a request is repeated before the job itself is.
const retries = 3;
// How long a text waits for company. Arithmetic in this process costs the same alone.
const maxWaitMs = { local: 0, other: 10 };

export function createEmbedders(options: EmbeddersOptions): Embedders {
  const embedders = new Map<string, Embedder>();
  const governorFor = createRateGovernors(options);

  const onnxModels = options.onnx && createOnnxModels(options.onnx);

  function createProvider({ embeddingProvider, embeddingModel, dimensions }: Model): EmbeddingProvider {
    if (embeddingProvider === 'local') return createLocalProvider({ dimensions });
    if (embeddingProvider === 'onnx') {
      if (onnxModels) return onnxModels.provider({ model: embeddingModel, dimensions });
      throw new EmbeddingError(
        'model_unavailable',
        'the collection uses provider onnx, but no EMBEDDING_ONNX_MODELS_DIR is set for this process',
      );
    }
    if (!options.openAi) {
      throw new EmbeddingError(
        'authentication_failed',
        `the collection uses provider ${embeddingProvider}, but no OPENAI_API_KEY is set for this process`,
      );
    }
    const { apiKey, baseUrl } = options.openAi;
    return createOpenAiProvider({
      apiKey,
      ...(baseUrl && { baseUrl }),
      model: embeddingModel,
      dimensions,
      timeoutMs: options.timeoutMs,
    });
  }

  return {
    for(model) {
      const key = JSON.stringify([model.embeddingProvider, model.embeddingModel, model.dimensions]);
      const known = embedders.get(key);
      if (known) return known;
      const provider = createProvider(model);
      const { openAi, tokensPerMinute } = options;
      // The limits are for an endpoint that charges; our own arithmetic needs none.
      const limited = model.embeddingProvider === 'openai' ? openAi : undefined;
      const embedder = createEmbedder(provider, {
        retries,
        maxWaitMs: model.embeddingProvider === 'local' ? maxWaitMs.local : maxWaitMs.other,
        maxTexts: options.maxTexts,
        maxTokens: options.maxTokens,
        concurrency: options.concurrency,
        onRequest: (report) =>
          options.onRequest?.({ provider: model.embeddingProvider, model: model.embeddingModel }, report),
        ...(limited && { governor: governorFor({ ...limited, model: model.embeddingModel }) }),
        ...(limited && tokensPerMinute && { tokensPerMinute }),
      });
      embedders.set(key, embedder);
      return embedder;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...embedders.values()].map((embedder) => embedder.close()));
      await onnxModels?.close();
    },
  };
}
