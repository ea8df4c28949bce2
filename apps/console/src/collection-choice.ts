import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Api } from './api/client.ts';

const fallback = 'default';

export interface CollectionChoice {
  names: ReadonlySignal<readonly string[]>;
  /** The collection that uploads go to and searches look in */
  chosen: Signal<string>;
  refresh(): Promise<void>;
  /** Creates a collection with the server's defaults and chooses it. Rejects with ApiError. */
  create(name: string): Promise<void>;
}

export function createCollectionChoice(
  api: Pick<Api, 'listCollections' | 'createCollection'>,
): CollectionChoice {
  const names = signal<readonly string[]>([fallback]);
  const chosen = signal(fallback);

  async function refresh(): Promise<void> {
    const { collections } = await api.listCollections();
    names.value = [...new Set([fallback, ...collections.map(({ name }) => name)])];
  }

  return {
    names,
    chosen,
    refresh,
    async create(name) {
      await api.createCollection(name);
      names.value = [...new Set([...names.value, name])];
      chosen.value = name;
    },
  };
}
