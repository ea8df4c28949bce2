import { RerankFault } from './reranker.ts';

/**
 * - `cohere`: `{model, query, documents, top_n}` to `{results: [{index, relevance_score}]}`; Cohere (https://docs.cohere.com/reference/rerank),
 *   Jina (https://jina.ai/reranker), vLLM and others.
 * - `tei`: `{query, texts, truncate}` to `[{index, score}]`; Text Embeddings Inference
 *   (https://huggingface.github.io/text-embeddings-inference).
 */
export type RerankFormat = 'cohere' | 'tei';

/**
 * Most texts in one request. Text Embeddings Inference refuses more than 32 with 413 unless it was started with another
 * `--max-client-batch-size` (https://huggingface.co/docs/text-embeddings-inference/cli_arguments); Cohere advises against more than 1 000.
 */
export const maxTexts: Readonly<Record<RerankFormat, number>> = { cohere: 1_000, tei: 32 };

export function requestBody(
  format: RerankFormat,
  model: string | undefined,
  query: string,
  texts: readonly string[],
): unknown {
  if (format === 'tei') return { query, texts, truncate: true };
  return { ...(model && { model }), query, documents: texts, top_n: texts.length };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** The scores of `count` texts, in their order. Throws `RerankFault` for any answer that does not give each of them one. */
export function scoresOf(format: RerankFormat, answer: unknown, count: number): number[] {
  const list = format === 'tei' ? answer : isRecord(answer) ? answer.results : undefined;
  if (!Array.isArray(list))
    throw new RerankFault('the answer is not what was expected: it has no list of results');
  const scores: (number | undefined)[] = Array(count).fill(undefined);
  for (const member of list) {
    const { index, [format === 'tei' ? 'score' : 'relevance_score']: score } = isRecord(member) ? member : {};
    if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= count)
      throw new RerankFault('the answer is not what was expected: a result has no index of a text');
    if (!Number.isFinite(score))
      throw new RerankFault('the answer is not what was expected: a score is no number');
    if (scores[index as number] !== undefined)
      throw new RerankFault('the answer is not what was expected: a text has two scores');
    scores[index as number] = score as number;
  }
  if (scores.includes(undefined))
    throw new RerankFault('the answer is not what was expected: a text has no score');
  return scores as number[];
}
