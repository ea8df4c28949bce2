import type { EmbeddingProvider } from '@sluice/embeddings';
import { type ChunkRecord, chunkId } from '@sluice/store';

/** A collection of the local model, as far as its name. */
export const definitionOf = (dimensions: number) =>
  ({
    embeddingProvider: 'local',
    embeddingModel: 'local-ngram-v1',
    dimensions,
    distance: 'cosine',
    storage: 'vector',
    chunkMaxTokens: 64,
    chunkOverlapTokens: 0,
    language: 'simple',
  }) as const;

/** The only chunk of a document that says no more than `text`. */
export async function onlyChunk(
  provider: EmbeddingProvider,
  documentId: string,
  text: string,
): Promise<ChunkRecord> {
  const signal = AbortSignal.timeout(5_000);
  const [embedding] = await provider.embed([text], { purpose: 'document', signal });
  return {
    id: chunkId(documentId, text, 0),
    ordinal: 0,
    text,
    tokens: 6,
    page: null,
    headingPath: [],
    charStart: 0,
    charEnd: text.length,
    embedding: embedding as Float32Array,
  };
}
