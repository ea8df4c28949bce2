import type { Queryable } from '@sluice/pool';
import { type AttemptProgress, isNewer, type ProgressChannel } from '@sluice/progress';
import { findUploads, type Upload } from '@sluice/store';
import { progressOf, withLiveProgress, withProgress } from './live-status.ts';

/** Follows uploads for any number of listeners: progress as it is announced, and one statement for all whose state has changed. */
export interface UploadWatcher extends Disposable {
  /** `onChange` gets each new status, and undefined when the upload was deleted. Returns how to stop. */
  watch(id: string, onChange: (upload: Upload | undefined) => void): () => void;
}

interface Watched {
  listeners: Set<(upload: Upload | undefined) => void>;
  /** As last told. */
  upload?: Upload;
  stop(): void;
}

// Changes that come together are read together.
const gatherMs = 5;
const retryMs = 500;

export function createUploadWatcher(
  db: Queryable,
  channel: ProgressChannel,
  { onError }: { onError: (error: unknown) => void },
): UploadWatcher {
  const watched = new Map<string, Watched>();
  const unread = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function tell(id: string, upload: Upload | undefined): void {
    const entry = watched.get(id);
    if (!entry) return;
    if (upload) entry.upload = upload;
    for (const listener of entry.listeners) listener(upload);
  }

  async function readChanged(): Promise<void> {
    const ids = [...unread];
    unread.clear();
    try {
      const uploads = await withLiveProgress(channel, await findUploads(db, ids));
      const found = new Map(uploads.map((upload) => [upload.id, upload]));
      for (const id of ids) tell(id, found.get(id));
    } catch (error) {
      for (const id of ids) if (watched.has(id)) unread.add(id);
      throw error;
    }
  }

  function schedule(afterMs = gatherMs): void {
    if (timer || closed || unread.size === 0) return;
    timer = setTimeout(() => {
      let failed = false;
      readChanged()
        .catch((error) => {
          failed = true;
          onError(error);
        })
        .finally(() => {
          timer = undefined;
          schedule(failed ? retryMs : gatherMs);
        });
    }, afterMs);
  }

  function read(id: string): void {
    unread.add(id);
    schedule();
  }

  function advance(id: string, progress: AttemptProgress): void {
    const upload = watched.get(id)?.upload;
    // Progress of an attempt that is not known here, or of one that has ended: the row says which.
    if (upload?.state !== 'processing' || upload.fence !== progress.fence) read(id);
    else if (isNewer(progress, progressOf(upload))) tell(id, withProgress(upload, progress));
  }

  return {
    watch(id, onChange) {
      let entry = watched.get(id);
      if (!entry) {
        const stop = channel.watch(id, {
          onProgress: (progress) => advance(id, progress),
          onChange: () => read(id),
        });
        entry = { listeners: new Set(), stop };
        watched.set(id, entry);
      }
      entry.listeners.add(onChange);
      return () => {
        const own = watched.get(id);
        if (!own?.listeners.delete(onChange) || own.listeners.size > 0) return;
        watched.delete(id);
        own.stop();
      };
    },
    [Symbol.dispose]() {
      closed = true;
      clearTimeout(timer);
      for (const { stop } of watched.values()) stop();
      watched.clear();
    },
  };
}
