// Providers, and the embedder that batches for them. How vectors are hashed, decoded, pooled and queued stays inside.
export { createEmbedder } from './embedder.ts';
export type { Embedder, EmbedderOptions, EmbeddingRequestReport, EmbedOptions } from './embedder-options.ts';
export { EmbeddingError, type EmbeddingErrorCode, embeddingErrorCodes } from './embedding-error.ts';
export type { EmbeddingProvider, EmbeddingPurpose } from './embedding-provider.ts';
export {
  createFleetRateGovernor,
  type FleetRateChange,
  type FleetRateGovernorOptions,
} from './fleet/fleet-rate-governor.ts';
export { rateLimitName } from './fleet/rate-limit-name.ts';
export type { RedisScripts } from './fleet/shared-line.ts';
export { createLocalProvider, type LocalProviderOptions } from './local-provider.ts';
export { isOnnxModelName } from './onnx/model-name.ts';
export { createOnnxModels, type OnnxModels, type OnnxModelsOptions } from './onnx-models.ts';
export { createOpenAiProvider, type OpenAiProviderOptions } from './openai-provider.ts';
export { createRateGovernor, type RateGovernor, type RateGovernorOptions } from './rate-governor.ts';
