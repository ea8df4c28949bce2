/** Some models embed what is stored and what is asked differently. */
export type EmbeddingPurpose = 'document' | 'query';

export interface EmbeddingProvider {
  readonly name: 'local' | 'openai';
  /** Stored with a collection: vectors of two models must never be compared. */
  readonly model: string;
  readonly dimensions: number;
  /** What one request may hold. */
  readonly limits: { readonly maxTexts: number; readonly maxTokens: number };
  /**
   * One request, without retries.
   *
   * @returns one vector per text, in the order of the texts, each of `dimensions` finite numbers
   * @throws EmbeddingError, or the reason of `signal` when that was aborted
   */
  embed(
    texts: readonly string[],
    options: { readonly purpose: EmbeddingPurpose; readonly signal?: AbortSignal },
  ): Promise<Float32Array[]>;
}
