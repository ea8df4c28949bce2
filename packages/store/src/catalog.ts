import type { Pool } from '@sluice/pool';
import { type Collection, changesChannel, listCollections } from './collections.ts';

/**
 * Collection definitions and generations, held in the process and never asked for per query. Changes arrive by
 * LISTEN/NOTIFY, or by polling where LISTEN cannot work (a server session shared by all connections, a transaction pooler).
 */
export interface Catalog extends AsyncDisposable {
  byName(name: string): Promise<Collection | undefined>;
  byId(id: number): Promise<Collection | undefined>;
  list(): Promise<Collection[]>;
  /** Read again now. Concurrent callers share one read. */
  refresh(): Promise<void>;
  /** Tells a generation that was read on the way, so that who saw it also searches it. */
  observe(collectionId: number, generation: number): void;
}

export interface CatalogOptions {
  /** `listen`, or the interval in ms at which to poll. */
  changes: 'listen' | number;
  /** Read log positions along, for searches on standbys. Default false. */
  positions?: boolean;
  onError?: (error: unknown) => void;
}

export function createCatalog(
  pool: Pool,
  { changes, positions = false, onError = () => {} }: CatalogOptions,
): Catalog {
  let byName = new Map<string, Collection>();
  let byId = new Map<number, Collection>();
  let running: Promise<void> | undefined;
  let again = false;

  async function read(): Promise<void> {
    const collections = await listCollections(pool.lane('control'), { positions });
    const known = byId;
    for (const collection of collections) {
      // A read that started before a publish must not take back what was observed since.
      const before = known.get(collection.id)?.generation ?? 0;
      if (collection.generation >= before) continue;
      collection.generation = before;
      collection.position = undefined;
    }
    byName = new Map(collections.map((collection) => [collection.name, collection]));
    byId = new Map(collections.map((collection) => [collection.id, collection]));
  }

  function refresh(): Promise<void> {
    if (running) {
      // The read under way may have missed the change that this caller knows of.
      again = true;
      return running;
    }
    running = (async () => {
      do {
        again = false;
        await read();
      } while (again);
    })().finally(() => {
      running = undefined;
    });
    return running;
  }
  const refreshInBackground = () => void refresh().catch(onError);

  const listener = changes === 'listen' ? pool.listen(changesChannel, refreshInBackground) : undefined;
  const timer = typeof changes === 'number' ? setInterval(refreshInBackground, changes) : undefined;
  timer?.unref();

  return {
    async byName(name) {
      if (!byName.has(name)) await refresh();
      return byName.get(name);
    },
    async byId(id) {
      if (!byId.has(id)) await refresh();
      return byId.get(id);
    },
    async list() {
      await refresh();
      return [...byName.values()];
    },
    refresh,
    observe(collectionId, generation) {
      const collection = byId.get(collectionId);
      if (!collection || collection.generation >= generation) return;
      collection.generation = generation;
      collection.position = undefined;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await listener?.close();
    },
  };
}
