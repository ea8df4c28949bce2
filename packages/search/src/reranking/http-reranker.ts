import { type RerankFormat, requestBody, scoresOf } from './formats.ts';
import { type Reranker, RerankFault } from './reranker.ts';

export interface HttpRerankerOptions {
  /** Of the endpoint itself, e.g. `https://api.jina.ai/v1/rerank`. */
  url: string;
  format: RerankFormat;
  /** Sent where the format has a place for it. */
  model?: string | undefined;
  /** Sent as a bearer token. */
  apiKey?: string | undefined;
  /** Longest wait for an answer, in ms. */
  timeoutMs: number;
}

// A score of a text takes some 40 bytes.
const maxAnswerBytes = 1_048_576;
// Models read some hundred tokens, and cut off the rest.
const maxTextCharacters = 8_000;

async function readJson(answer: Response): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    bytes += part.length;
    if (bytes > maxAnswerBytes) throw new RerankFault(`the answer has more than ${maxAnswerBytes} bytes`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch (error) {
    throw new RerankFault('the answer is not JSON', { cause: error });
  }
}

/** One request for each list, none of them repeated: there is an order already, and somebody waits for the answer. */
export function createHttpReranker({ url, format, model, apiKey, timeoutMs }: HttpRerankerOptions): Reranker {
  const headers = {
    'content-type': 'application/json',
    ...(apiKey && { authorization: `Bearer ${apiKey}` }),
  };
  return {
    async rerank(query, texts, signal) {
      const late = AbortSignal.timeout(timeoutMs);
      const cut = texts.map((text) => text.slice(0, maxTextCharacters));
      try {
        const answer = await fetch(url, {
          method: 'POST',
          headers,
          body: JSON.stringify(requestBody(format, model, query, cut)),
          signal: signal ? AbortSignal.any([late, signal]) : late,
          redirect: 'error',
        });
        if (!answer.ok) {
          await answer.body?.cancel();
          throw new RerankFault(`it answered with status ${answer.status}`);
        }
        return scoresOf(format, await readJson(answer), texts.length);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof RerankFault) throw error;
        if (late.aborted) throw new RerankFault(`it did not answer within ${timeoutMs} ms`, { cause: error });
        throw new RerankFault('it cannot be reached, or broke off', { cause: error });
      }
    },
  };
}
