import type { CollectionBody } from '@sluice/contract';
import { describeWithServices, startEmbeddingsServer } from '@sluice/testing';
import { runWorker } from '@sluice/worker';
import { expect, test } from 'vitest';
import { runGateway } from '../src/index.ts';
import { createClient } from './support/client.ts';
import { type Environment, startServices, untilReady } from './support/running-service.ts';

async function withSluice(
  environment: Environment,
  use: (client: ReturnType<typeof createClient>, url: string) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const worker = await runWorker(environment);
  stack.defer(() => worker.stop());
  const gateway = await runGateway(environment);
  stack.defer(() => gateway.stop());
  await untilReady(gateway.url);
  await use(createClient(gateway.url), gateway.url);
}

describeWithServices(['postgres', 'redis'], 'a change of the model', () => {
  test('of the server leaves each collection with its own: nothing is wiped, no dimension is wrong (Mintplex-Labs/anything-llm#2863)', {
    timeout: 60_000,
  }, async () => {
    await using provider = await startEmbeddingsServer({ dimensions: 64 });
    await using services = await startServices('services');
    await withSluice(services.environment, async (client) => {
      expect((await client.upload('before.txt', 'The heron stands in the shallow water.')).state).toBe(
        'ready',
      );
    });
    const changed = {
      ...services.environment,
      EMBEDDING_PROVIDER: 'openai',
      EMBEDDING_MODEL: 'fake',
      EMBEDDING_DIMENSIONS: '64',
      OPENAI_API_KEY: 'test-key',
      OPENAI_BASE_URL: provider.baseUrl,
    };
    await withSluice(changed, async (client, url) => {
      expect((await client.upload('after.txt', 'A kingfisher dives from a branch.')).state).toBe('ready');
      for (const [query, name] of [
        ['heron in shallow water', 'before.txt'],
        ['kingfisher on a branch', 'after.txt'],
      ])
        expect((await client.query({ query, k: 1 })).results[0]?.document.name).toBe(name);
      expect(provider.requests).toEqual([]);

      await fetch(`${url}/v1/collections`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'newer' }),
      });
      await client.upload('new.txt', 'A new collection.', { collection: 'newer' });
      const { collections } = (await (await fetch(`${url}/v1/collections`)).json()) as {
        collections: CollectionBody[];
      };
      const models = collections.map(({ name, embedding }) => [name, embedding.model, embedding.dimensions]);
      expect(Object.fromEntries(models.map(([name, ...rest]) => [name, rest]))).toEqual({
        default: ['local-ngram-v1', 384],
        newer: ['fake', 64],
      });
      expect(provider.requests.length).toBeGreaterThan(0);
    });
  });
});
