/** Follows things by id for any number of listeners with one statement a round, however many there are. */
export interface Watcher<T extends { id: string }> extends Disposable {
  /** `onChange` gets each new status, and undefined when the thing was deleted. Returns how to stop. */
  watch(id: string, onChange: (thing: T | undefined) => void): () => void;
}

export interface WatcherOptions<T> {
  /** Those of the ids that exist. */
  find: (ids: string[]) => Promise<T[]>;
  intervalMs: number;
  onError: (error: unknown) => void;
}

export function createWatcher<T extends { id: string }>({
  find,
  intervalMs,
  onError,
}: WatcherOptions<T>): Watcher<T> {
  const listeners = new Map<string, Set<(thing: T | undefined) => void>>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function round(): Promise<void> {
    const ids = [...listeners.keys()];
    const found = new Map((await find(ids)).map((thing) => [thing.id, thing]));
    for (const id of ids) for (const listener of listeners.get(id) ?? []) listener(found.get(id));
  }
  function schedule(): void {
    if (timer || closed || listeners.size === 0) return;
    timer = setTimeout(() => {
      void round()
        .catch(onError)
        .finally(() => {
          timer = undefined;
          schedule();
        });
    }, intervalMs);
  }

  return {
    watch(id, onChange) {
      listeners.set(id, (listeners.get(id) ?? new Set()).add(onChange));
      schedule();
      return () => {
        const own = listeners.get(id);
        own?.delete(onChange);
        if (own?.size === 0) listeners.delete(id);
      };
    },
    [Symbol.dispose]() {
      closed = true;
      clearTimeout(timer);
      listeners.clear();
    },
  };
}
