import { maxTexts, type RerankFormat, requestBody, scoresOf } from './formats.ts';
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
const maxScoresBytes = 1_048_576;
// Jina and vLLM give the texts back, and JSON may write each UTF-16 unit of them as \uXXXX.
const maxBytesPerUnit = 6;
// Models read some hundred tokens, and cut off the rest.
const maxTextCharacters = 8_000;

/** Parsers in other languages refuse lone surrogates, be they of the text or left over where it was cut. */
function acceptable(text: string): string {
  return text.slice(0, maxTextCharacters).toWellFormed();
}

function partsOf(texts: readonly string[], most: number): string[][] {
  const count = Math.ceil(texts.length / most);
  return Array.from({ length: count }, (_, i) => texts.slice(i * most, (i + 1) * most));
}

async function readJson(answer: Response, maxAnswerBytes: number): Promise<unknown> {
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

/**
 * One request for each list, or for each part of it that the format allows: texts are judged one by one, so that scores of several
 * requests are of one scale. None is repeated: there is an order already, and somebody waits for the answer.
 */
export function createHttpReranker({ url, format, model, apiKey, timeoutMs }: HttpRerankerOptions): Reranker {
  const headers = {
    'content-type': 'application/json',
    ...(apiKey && { authorization: `Bearer ${apiKey}` }),
  };

  async function judge(query: string, texts: readonly string[], signal: AbortSignal): Promise<number[]> {
    const body = JSON.stringify(requestBody(format, model, query, texts));
    const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
    if (!answer.ok) {
      await answer.body?.cancel();
      throw new RerankFault(`it answered with status ${answer.status}`);
    }
    const sentUnits = texts.reduce((sum, text) => sum + text.length, 0);
    const parsed = await readJson(answer, maxScoresBytes + maxBytesPerUnit * sentUnits);
    return scoresOf(format, parsed, texts.length);
  }

  return {
    async rerank(query, texts, signal) {
      const late = AbortSignal.timeout(timeoutMs);
      const over = new AbortController();
      const ended = AbortSignal.any([late, over.signal, ...(signal ? [signal] : [])]);
      const parts = partsOf(texts.map(acceptable), maxTexts[format]);
      try {
        const asked = query.toWellFormed();
        return (await Promise.all(parts.map((part) => judge(asked, part, ended)))).flat();
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof RerankFault) throw error;
        if (late.aborted) throw new RerankFault(`it did not answer within ${timeoutMs} ms`, { cause: error });
        throw new RerankFault('it cannot be reached, or broke off', { cause: error });
      } finally {
        // Without one part the others are of no use.
        over.abort();
      }
    },
  };
}
