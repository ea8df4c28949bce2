import { type Reranker, RerankFault } from './reranker.ts';

export interface SkipOptions {
  /** Failures in a row after which it is no longer asked. Default 3. */
  failures?: number;
  /** For so long, in ms; then one query tries it again. Default 5 000. */
  pauseMs?: number;
}

/** A circuit breaker: while it fails, queries shall not each wait for its deadline. */
export function skipWhileFailing(
  reranker: Reranker,
  { failures = 3, pauseMs = 5_000 }: SkipOptions = {},
): Reranker {
  let failed = 0;
  let skippedUntil = 0;
  return {
    async rerank(query, texts, signal) {
      const now = performance.now();
      if (failed >= failures) {
        if (now < skippedUntil)
          throw new RerankFault('it has failed several times in a row, and is left alone for a moment');
        // The others go on without it until this one has an answer.
        skippedUntil = now + pauseMs;
      }
      try {
        const scores = await reranker.rerank(query, texts, signal);
        failed = 0;
        return scores;
      } catch (error) {
        if (error instanceof RerankFault) {
          failed += 1;
          skippedUntil = performance.now() + pauseMs;
        }
        throw error;
      }
    },
  };
}
