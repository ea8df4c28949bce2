import type { Progress } from '@sluice/store';

/** Where an attempt at an upload has got to. */
export interface AttemptProgress extends Progress {
  uploadId: string;
  /** Of the attempt: a later one has a higher fence. */
  fence: number;
}

export interface ProgressListener {
  /** Each is newer than the one before; see `isNewer`. */
  onProgress(progress: AttemptProgress): void;
  /**
   * Something else than progress may have changed, so the row has to be read: an attempt began or ended, the upload was
   * cancelled, retried or deleted. Also called once when listening has begun, and whenever something may have been missed.
   */
  onChange(): void;
}

/**
 * Carries live progress from the attempts at uploads to those who watch them. A courtesy: nothing here throws or waits for long,
 * messages may be lost, and what is true is what the upload's row says. A change of state is heard of within about a second
 * even when every message is lost.
 */
export interface ProgressChannel extends AsyncDisposable {
  /** Announcing the same upload more often than this, in ms, is of no use now. */
  readonly paceMs: number;
  /**
   * Whether the attempt still holds its upload, where announcing has shown it: false when the upload is gone or was taken over.
   * Undefined when it has not.
   */
  announce(progress: AttemptProgress): Promise<boolean | undefined>;
  /** Watchers of these uploads shall read their rows now. */
  announceChange(uploadIds: readonly string[]): Promise<void>;
  /** What is known beyond what the caller has just read from the rows of uploads that are being worked on; in the same order. */
  newest(known: readonly AttemptProgress[]): Promise<AttemptProgress[]>;
  /** Returns how to stop. */
  watch(uploadId: string, listener: ProgressListener): () => void;
}
