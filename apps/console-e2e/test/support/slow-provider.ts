import { startEmbeddingsServer } from '@sluice/testing';

export interface SlowProvider extends AsyncDisposable {
  /** For the service to use it */
  readonly environment: Record<string, string>;
  /** From now on nothing takes long any more. */
  hurry(): void;
}

/** An embeddings provider that takes its time over each request, so that progress can be seen. */
export async function startSlowProvider(ms: number): Promise<SlowProvider> {
  const provider = await startEmbeddingsServer({ dimensions: 64 });
  provider.failWhen(() => ({ kind: 'slow', ms }));
  return {
    environment: {
      EMBEDDING_PROVIDER: 'openai',
      EMBEDDING_MODEL: 'fake',
      EMBEDDING_DIMENSIONS: '64',
      EMBEDDING_BATCH_TEXTS: '64',
      EMBEDDING_CONCURRENCY: '1',
      OPENAI_API_KEY: 'test-key',
      OPENAI_BASE_URL: provider.baseUrl,
    },
    hurry: () => provider.failWhen(() => undefined),
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  };
}
