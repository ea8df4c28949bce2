import type { NewCollectionBody } from '@sluice/contract';
import { defaultChunking } from '@sluice/extraction';
import type { NewCollection } from '@sluice/store';
import { HttpProblem } from './http-problem.ts';

export interface EmbeddingDefaults {
  provider: 'local' | 'openai';
  model: string | undefined;
  dimensions: number | undefined;
}

const defaultModels = { local: 'local-ngram-v1', openai: 'text-embedding-3-small' };
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
    const message = `the local provider has one model, ${defaultModels.local}`;
    throw new HttpProblem('invalid_request', message, {
      errors: [{ path: '/embedding/model', message, given: model }],
    });
  }
  const dimensions = body.embedding?.dimensions ?? inherited?.dimensions ?? knownDimensions[model];
  if (!dimensions) {
    const message = `say how many dimensions ${model} has`;
    throw new HttpProblem('invalid_request', message, {
      errors: [{ path: '/embedding/dimensions', message }],
    });
  }
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
  };
}
