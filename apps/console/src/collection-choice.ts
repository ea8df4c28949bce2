import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { CollectionBody } from '@sluice/contract';
import type { Api } from './api/client.ts';

const fallback = 'default';

export interface CollectionChoice {
  names: ReadonlySignal<readonly string[]>;
  /** The collection that uploads go to and searches look in */
  chosen: Signal<string>;
  /** Whether its passages can be found by their words; true while that is not known */
  hasWords: ReadonlySignal<boolean>;
  refresh(): Promise<void>;
  /** Creates a collection with the server's defaults and chooses it. Rejects with ApiError. */
  create(name: string): Promise<void>;
}

export function createCollectionChoice(
  api: Pick<Api, 'listCollections' | 'createCollection'>,
): CollectionChoice {
  const known = signal<readonly CollectionBody[]>([]);
  const chosen = signal(fallback);

  async function refresh(): Promise<void> {
    known.value = (await api.listCollections()).collections;
  }

  return {
    names: computed(() => [...new Set([fallback, ...known.value.map(({ name }) => name)])]),
    chosen,
    hasWords: computed(() => {
      const index = known.value.find(({ name }) => name === chosen.value)?.text_index;
      return index !== 'off' && index !== 'filling';
    }),
    refresh,
    async create(name) {
      const created = await api.createCollection(name);
      known.value = [...known.value, created];
      chosen.value = name;
    },
  };
}
