/** Judges texts by how well they answer a query. */
export interface Reranker {
  /**
   * A score for each text, in their order; higher is better, on a scale of the model's own. Throws `RerankFault`, and the reason of
   * `signal`.
   */
  rerank(query: string, texts: readonly string[], signal?: AbortSignal): Promise<number[]>;
}

/** Why there are no scores. The message is for people, and tells nothing of the endpoint but what it did. */
export class RerankFault extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RerankFault';
  }
}
