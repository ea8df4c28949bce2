import { OpenAI } from 'openai';
import { decodeAnswer } from './decode-answer.ts';
import type { EmbeddingProvider } from './embedding-provider.ts';
import { openAiFailure } from './openai-failure.ts';
import { providerWaitMs } from './provider-wait.ts';

export interface OpenAiProviderOptions {
  /** Empty for endpoints that want none: then no `Authorization` header is sent. */
  apiKey: string;
  /** With its version path. Default `https://api.openai.com/v1`. */
  baseUrl?: string;
  model: string;
  /** Length of the vectors; an answer of another length is refused. */
  dimensions: number;
  /** Time limit of one request, from sending to the last byte of the answer, in milliseconds. */
  timeoutMs: number;
  /**
   * Whether to ask for vectors of this length. Default: only for `text-embedding-3-*`, since older models and many compatible
   * servers refuse the parameter.
   */
  sendDimensions?: boolean;
  /** How vectors travel. Default `base64`, a quarter of the size; `float` for servers that refuse the parameter's other value. */
  encodingFormat?: 'base64' | 'float';
  /** Texts in one request. Default 2048, which is OpenAI's limit. */
  maxTexts?: number;
  /** Tokens in one request. Default 250 000: OpenAI's limit is 300 000, and token counts given here may be estimates. */
  maxTokens?: number;
  /** Put before each text, for models trained with such prefixes (`query: `, `passage: `). Default none. */
  prefixes?: { query?: string; document?: string };
}

/** OpenAI, or anything that speaks its embeddings protocol. */
export function createOpenAiProvider(options: OpenAiProviderOptions): EmbeddingProvider {
  const { apiKey, model, dimensions, encodingFormat = 'base64', prefixes = {} } = options;
  const sendDimensions = options.sendDimensions ?? model.startsWith('text-embedding-3');
  const client = createClient(options);
  const redact = (text: string) => (apiKey === '' ? text : text.replaceAll(apiKey, '[key]'));

  return {
    name: 'openai',
    model,
    dimensions,
    limits: { maxTexts: options.maxTexts ?? 2048, maxTokens: options.maxTokens ?? 250_000 },
    async embed(texts, { purpose, signal, onWait }) {
      if (texts.length === 0) return [];
      const prefix = prefixes[purpose] ?? '';
      try {
        const body = {
          model,
          input: texts.map((text) => acceptable(prefix + text)),
          // Named, so that the package hands over the base64 as it is instead of decoding it into arrays of numbers.
          encoding_format: encodingFormat,
          ...(sendDimensions ? { dimensions } : {}),
        };
        const sent = client.embeddings.create(body, signal === undefined ? {} : { signal });
        const { data: answer, response } = await sent.withResponse();
        const waitMs = providerWaitMs(response.headers);
        if (waitMs !== undefined) onWait?.(waitMs);
        return decodeAnswer(answer, texts.length, dimensions);
      } catch (error) {
        signal?.throwIfAborted();
        throw openAiFailure(error, redact);
      }
    },
  };
}

/** Retries are the embedder's business. What the package would read from the environment by itself is set here. */
function createClient(options: OpenAiProviderOptions): OpenAI {
  return new OpenAI({
    apiKey: options.apiKey === '' ? 'none' : options.apiKey,
    ...(options.apiKey === '' ? { defaultHeaders: { Authorization: null } } : {}),
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL: options.baseUrl ?? 'https://api.openai.com/v1',
    timeout: options.timeoutMs,
    maxRetries: 0,
    logLevel: 'off',
  });
}

/** Endpoints refuse empty strings, and JSON parsers refuse lone surrogates. */
function acceptable(text: string): string {
  return text === '' ? ' ' : text.toWellFormed();
}
