import type { Embedder } from '@sluice/embeddings';
import { SearchError } from './errors.ts';

/** The vector of a query's text. Throws `overloaded`, and what `Embedder.embed` throws. */
export type QueryEmbedder = (text: string, signal: AbortSignal) => Promise<Float32Array>;

interface Line {
  length: number;
  /** How long a text took of late, its wait included, in ms. */
  meanMs: number;
}

/**
 * Keeps the line in front of each embedder short: it has its own limit of requests at a time, and lets any number of texts wait for
 * them. Whoever would be one too many is told when to come back.
 */
export function createQueryEmbedder(mostWaiting: number): (embedder: Embedder) => QueryEmbedder {
  const lines = new WeakMap<Embedder, Line>();

  function refuse({ length, meanMs }: Line): never {
    const message = `${length} texts of queries wait for the embeddings provider`;
    throw new SearchError('overloaded', message, { waiting: length, retryAfterMs: Math.ceil(meanMs) });
  }

  return (embedder) => {
    const line = lines.get(embedder) ?? { length: 0, meanMs: 0 };
    lines.set(embedder, line);
    return async (text, signal) => {
      if (line.length >= mostWaiting) refuse(line);
      const start = performance.now();
      line.length += 1;
      try {
        const [vector] = await embedder.embed([text], { purpose: 'query', signal });
        return vector as Float32Array;
      } finally {
        line.length -= 1;
        const tookMs = performance.now() - start;
        line.meanMs += (tookMs - line.meanMs) * (line.meanMs === 0 ? 1 : 0.1);
      }
    };
  };
}
