import type { EmbeddingProvider } from './embedding-provider.ts';
import { createTextVectorizer } from './local/text-vector.ts';

/** Stored with collections. To be raised with any change that gives another vector for any text. */
const model = 'local-ngram-v1';

/** Computing is synchronous; after this many milliseconds it lets others have their turn. */
const sliceMs = 8;

export interface LocalProviderOptions {
  /** Default 384. Fewer blur, more cost space and time in the database. */
  dimensions?: number;
}

/** Embeds without network, key or model files, by the words that a text is made of. It knows nothing of meaning. */
export function createLocalProvider(options: LocalProviderOptions = {}): EmbeddingProvider {
  const { dimensions = 384 } = options;
  if (!Number.isInteger(dimensions) || dimensions < 16 || dimensions > 16_000) {
    throw new RangeError(`The local provider makes vectors of 16 to 16000 dimensions, not ${dimensions}.`);
  }
  const vectorOf = createTextVectorizer(dimensions);

  return {
    name: 'local',
    model,
    dimensions,
    // There is no such limit here. These keep an answer within some tens of milliseconds.
    limits: { maxTexts: 256, maxTokens: 100_000 },
    async embed(texts, { signal }) {
      const vectors: Float32Array[] = [];
      let sliceEnd = performance.now() + sliceMs;
      for (const text of texts) {
        signal?.throwIfAborted();
        vectors.push(vectorOf(text));
        if (performance.now() < sliceEnd) continue;
        await new Promise((resolve) => setImmediate(resolve));
        sliceEnd = performance.now() + sliceMs;
      }
      return vectors;
    },
  };
}
