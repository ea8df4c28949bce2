import { isNewer } from './is-newer.ts';
import type { AttemptProgress, ProgressListener } from './progress-channel.ts';

/** Who watches which upload, and the newest progress that each upload's watchers were told. */
export interface WatchedUploads {
  ids(): string[];
  has(uploadId: string): boolean;
  /** Returns whether it is the upload's first listener. */
  add(uploadId: string, listener: ProgressListener): boolean;
  /** Returns whether it was the upload's last listener. */
  remove(uploadId: string, listener: ProgressListener): boolean;
  /** Tells it unless something newer was told. */
  progress(progress: AttemptProgress): void;
  change(uploadId: string): void;
  clear(): void;
}

export function createWatchedUploads(): WatchedUploads {
  const watched = new Map<string, { listeners: Set<ProgressListener>; told?: AttemptProgress }>();
  return {
    ids: () => [...watched.keys()],
    has: (uploadId) => watched.has(uploadId),
    add(uploadId, listener) {
      const entry = watched.get(uploadId);
      if (entry) entry.listeners.add(listener);
      else watched.set(uploadId, { listeners: new Set([listener]) });
      return !entry;
    },
    remove(uploadId, listener) {
      const entry = watched.get(uploadId);
      if (!entry?.listeners.delete(listener) || entry.listeners.size > 0) return false;
      watched.delete(uploadId);
      return true;
    },
    progress(progress) {
      const entry = watched.get(progress.uploadId);
      if (!entry || (entry.told && !isNewer(progress, entry.told))) return;
      entry.told = progress;
      for (const { onProgress } of entry.listeners) onProgress(progress);
    },
    change(uploadId) {
      for (const { onChange } of watched.get(uploadId)?.listeners ?? []) onChange();
    },
    clear: () => watched.clear(),
  };
}
