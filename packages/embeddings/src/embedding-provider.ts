/** Some models embed what is stored and what is asked differently. */
export type EmbeddingPurpose = 'document' | 'query';

export interface ProviderRequestOptions {
  readonly purpose: EmbeddingPurpose;
  readonly signal?: AbortSignal;
  /** Called when the provider, with a good answer, wants no further request for this long. Milliseconds. */
  onWait?(ms: number): void;
}

export interface EmbeddingProvider {
  readonly name: 'local' | 'openai' | 'onnx';
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
  embed(texts: readonly string[], options: ProviderRequestOptions): Promise<Float32Array[]>;
}
