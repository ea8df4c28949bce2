import type { Queryable } from '@sluice/pool';
import { type Progress, recordProgress, type UploadStage } from '@sluice/store';

/**
 * Writes an attempt's progress to its upload at most every `intervalMs`. Also when nothing moves, once a second: as a sign of
 * life, and to hear that the upload was cancelled, deleted, or taken over.
 */
export interface ProgressReporter extends Disposable {
  readonly stage: UploadStage;
  /** Chunks embedded so far. */
  readonly done: number;
  set(change: Partial<Progress>): void;
}

export interface ProgressOptions {
  intervalMs: number;
  /** The upload is gone or another worker has it. */
  onLost: () => void;
  onProgress: (progress: Progress) => void;
}

const signOfLifeMs = 1_000;

export function createProgressReporter(
  db: Queryable,
  uploadId: string,
  fence: number,
  { intervalMs, onLost, onProgress }: ProgressOptions,
): ProgressReporter {
  const progress: Progress = { stage: 'extracting', chunksDone: 0, chunksTotal: null };
  let written = { ...progress, at: performance.now() };
  let writing = false;

  async function write(): Promise<void> {
    const now = performance.now();
    const same =
      written.stage === progress.stage &&
      written.chunksDone === progress.chunksDone &&
      written.chunksTotal === progress.chunksTotal;
    if (writing || (same && now - written.at < signOfLifeMs)) return;
    writing = true;
    written = { ...progress, at: now };
    try {
      if (!(await recordProgress(db, uploadId, fence, progress))) onLost();
    } catch {
      // Progress is a courtesy; if the database is really away, the work itself will notice.
    } finally {
      writing = false;
    }
  }
  const timer = setInterval(() => void write(), intervalMs);

  return {
    get stage() {
      return progress.stage;
    },
    get done() {
      return progress.chunksDone;
    },
    set(change) {
      Object.assign(progress, change);
      onProgress(progress);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
