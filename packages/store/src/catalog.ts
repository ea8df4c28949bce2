import type { Pool } from '@sluice/pool';
import { type Collection, changesChannel, listCollections, readGenerations } from './collections.ts';
import { StoreError } from './errors.ts';
import { createFreshRead } from './fresh-read.ts';

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
  /**
   * The collection of this name as it stands after the call, by one small statement for all who ask meanwhile. Undefined when the
   * database does not answer: within `confirmMs`, or twice that where the read of others is under way. Throws
   * `collection_not_found`.
   */
  confirm(collection: Collection): Promise<Collection | undefined>;
}

export interface CatalogOptions {
  /** `listen`, or the interval in ms at which to poll. */
  changes: 'listen' | number;
  /** Read log positions along, for searches on standbys. Default false. */
  positions?: boolean;
  /** Longest time that `confirm` waits for its statement, in ms. Default 250. */
  confirmMs?: number;
  /** Called when API keys may have changed: that is announced on the same channel, as one that listens holds a connection. */
  onApiKeys?: () => void;
  onError?: (error: unknown) => void;
}

export function createCatalog(
  pool: Pool,
  { changes, positions = false, confirmMs = 250, onApiKeys = () => {}, onError = () => {} }: CatalogOptions,
): Catalog {
  let byName = new Map<string, Collection>();
  let byId = new Map<number, Collection>();
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

  const refresh = createFreshRead(read);

  function observe(id: number, generation: number, position?: string): void {
    const collection = byId.get(id);
    if (!collection || collection.generation > generation) return;
    if (collection.generation === generation && collection.position) return;
    collection.generation = generation;
    collection.position = position;
  }

  const asked = new Set<number>();
  /** The ids of `asked` that exist. */
  const readAsked = createFreshRead(async () => {
    const ids = [...asked];
    asked.clear();
    const late = new AbortController();
    // A process that was busy for so long finds timer and answer waiting for it, timers first: what has come is read before.
    const timer = setTimeout(() => setImmediate(() => late.abort()), confirmMs);
    try {
      const read = { positions, signal: late.signal };
      const found = await readGenerations(pool.lane('control'), ids, read);
      for (const { id, generation, position } of found) observe(id, generation, position);
      return new Set(found.map(({ id }) => id));
    } finally {
      clearTimeout(timer);
    }
  });

  async function confirm({ id, name }: Collection): Promise<Collection | undefined> {
    asked.add(id);
    const existing = await readAsked().catch(() => undefined);
    if (!existing) return undefined;
    // Gone, or known by a definition that is: what has its name now is another one.
    if (!existing.has(id)) await refresh();
    const collection = byName.get(name);
    if (collection) return collection;
    throw new StoreError('collection_not_found', `no collection is named ${name}`, { name });
  }

  const refreshInBackground = () => void refresh().catch(onError);

  function hear(payload: string): void {
    // Empty: some may have been missed.
    if (payload === 'api_keys' || payload === '') onApiKeys();
    if (payload !== 'api_keys') refreshInBackground();
  }

  const listener = changes === 'listen' ? pool.listen(changesChannel, hear) : undefined;
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
    observe: (collectionId, generation) => observe(collectionId, generation),
    confirm,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await listener?.close();
    },
  };
}
