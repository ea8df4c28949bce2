import {
  createEmbedder,
  createOpenAiProvider,
  type EmbedderOptions,
  type OpenAiProviderOptions,
} from '../../src/index.ts';

export const document = { purpose: 'document' } as const;
export const query = { purpose: 'query' } as const;

export function setUp(
  baseUrl: string,
  options: Partial<EmbedderOptions> = {},
  provider: Partial<OpenAiProviderOptions> = {},
) {
  return createEmbedder(
    createOpenAiProvider({ apiKey: 'k', baseUrl, model: 'm', dimensions: 8, timeoutMs: 5000, ...provider }),
    { maxWaitMs: 20, concurrency: 4, retries: 3, firstRetryMs: 50, ...options },
  );
}

export function numbered(count: number, prefix = 'text'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix} ${index}`);
}
