import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NewCollectionBody } from '@sluice/contract';
import { isOnnxModelName } from '@sluice/embeddings';
import { defaultChunking } from '@sluice/extraction';
import type { NewCollection } from '@sluice/store';
import { HttpProblem } from './http-problem.ts';

export interface EmbeddingDefaults {
  provider: 'local' | 'openai' | 'onnx';
  model: string | undefined;
  dimensions: number | undefined;
  /** Where ONNX models are. Undefined: this server has none. */
  onnx: { directory: string } | undefined;
}

const defaultModels = { local: 'local-ngram-v1', openai: 'text-embedding-3-small', onnx: undefined };
// Lengths of the vectors that these models give by default; others have to be told.
const knownDimensions: Record<string, number> = {
  'local-ngram-v1': 384,
  'text-embedding-3-small': 1_536,
  'text-embedding-3-large': 3_072,
  'text-embedding-ada-002': 1_536,
};

/** A request with everything it left out filled in: a collection is pinned to what it was created with. */
export function completeCollection(body: NewCollectionBody, defaults: EmbeddingDefaults): NewCollection {
  const provider = body.embedding?.provider ?? defaults.provider;
  const inherited = provider === defaults.provider && !body.embedding?.model ? defaults : undefined;
  const model = body.embedding?.model ?? inherited?.model ?? defaultModels[provider];
  if (provider === 'local' && model !== defaultModels.local) {
    throw invalid('model', `the local provider has one model, ${defaultModels.local}`, model);
  }
  if (provider === 'onnx') checkOnnxModel(model, defaults.onnx?.directory);
  if (!model) throw invalid('model', 'say which model');
  const dimensions = body.embedding?.dimensions ?? inherited?.dimensions ?? knownDimensions[model];
  if (!dimensions) throw invalid('dimensions', `say how many dimensions ${model} has`);
  return {
    name: body.name,
    embeddingProvider: provider,
    embeddingModel: model,
    dimensions,
    distance: body.distance,
    storage: body.storage,
    chunkMaxTokens: body.chunking?.max_tokens ?? defaultChunking.maxTokens,
    chunkOverlapTokens: body.chunking?.overlap_tokens ?? defaultChunking.overlapTokens,
    language: body.language,
    textSearch: body.text_search,
    metadataIndexes: body.metadata_indexes,
  };
}

/** A collection is pinned to its model for life, so a name that is misspelt is told before it is. */
function checkOnnxModel(model: string | undefined, directory: string | undefined): void {
  if (!directory) {
    throw invalid('provider', 'this server has no ONNX models: EMBEDDING_ONNX_MODELS_DIR is not set', 'onnx');
  }
  if (!model) throw invalid('model', 'say which ONNX model: the name of its folder');
  if (isOnnxModelName(model) && existsSync(join(directory, model, 'config.json'))) return;
  throw invalid('model', `this server has no ONNX model ${JSON.stringify(model)}`, model);
}

function invalid(field: 'provider' | 'model' | 'dimensions', message: string, given?: string): HttpProblem {
  const error = { path: `/embedding/${field}`, message, ...(given !== undefined && { given }) };
  return new HttpProblem('invalid_request', message, { errors: [error] });
}
