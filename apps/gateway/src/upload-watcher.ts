import type { Queryable } from '@sluice/pool';
import { findUploads, type Upload } from '@sluice/store';

/** Follows uploads for any number of listeners with one statement a round, however many there are. */
export interface UploadWatcher extends Disposable {
  /** `onChange` gets each new status, and undefined when the upload was deleted. Returns how to stop. */
  watch(id: string, onChange: (upload: Upload | undefined) => void): () => void;
}

export function createUploadWatcher(
  db: Queryable,
  { intervalMs, onError }: { intervalMs: number; onError: (error: unknown) => void },
): UploadWatcher {
  const listeners = new Map<string, Set<(upload: Upload | undefined) => void>>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function round(): Promise<void> {
    const ids = [...listeners.keys()];
    const found = new Map((await findUploads(db, ids)).map((upload) => [upload.id, upload]));
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
