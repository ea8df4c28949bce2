import type { Queryable } from '@sluice/pool';
import type { ProgressChannel } from '@sluice/progress';
import { type Progress, readAttempts, recordProgress, type UploadStage } from '@sluice/store';

/**
 * Announces where an attempt has got to, and writes it to the upload's row now and then as a sign of life. Hears on the way that the
 * upload was cancelled, deleted, or taken over.
 */
export interface ProgressReporter extends Disposable {
  readonly stage: UploadStage;
  /** Chunks embedded so far. */
  readonly done: number;
  set(change: Partial<Progress>): void;
}

export interface ProgressOptions {
  channel: ProgressChannel;
  /** Least time between two announcements. Default: the channel's pace. */
  intervalMs?: number | undefined;
  /** The upload is gone or another worker has it. */
  onLost: () => void;
  onProgress: (progress: Progress) => void;
}

const tickMs = 50;
const signOfLifeMs = 3_000;
/** An attempt that is over within moments does not listen for its cancellation. */
const listenAfterMs = 200;

export function createProgressReporter(
  db: Queryable,
  uploadId: string,
  fence: number,
  { channel, intervalMs, onLost, onProgress }: ProgressOptions,
): ProgressReporter {
  const progress: Progress = { stage: 'extracting', chunksDone: 0, chunksTotal: null };
  const begun = performance.now();
  let announced = { ...progress, at: begun };
  let writtenAt = begun;
  let busy = false;
  let stopListening: (() => void) | undefined;

  async function announce(now: number): Promise<boolean | undefined> {
    announced = { ...progress, at: now };
    const held = await channel.announce({ uploadId, fence, ...progress });
    if (held !== undefined) writtenAt = now;
    return held;
  }
  async function write(now: number): Promise<boolean> {
    writtenAt = now;
    return recordProgress(db, uploadId, fence, progress);
  }
  async function speak(): Promise<void> {
    const now = performance.now();
    const moved =
      announced.stage !== progress.stage ||
      announced.chunksDone !== progress.chunksDone ||
      announced.chunksTotal !== progress.chunksTotal;
    const pace = intervalMs ?? channel.paceMs;
    if (moved && now - announced.at >= pace && (await announce(now)) === false) onLost();
    if (now - writtenAt >= Math.max(signOfLifeMs, pace) && !(await write(now))) onLost();
  }
  async function check(): Promise<void> {
    const [row] = await readAttempts(db, [uploadId]);
    if (row?.fence !== fence || row.state !== 'processing') onLost();
  }
  // Progress is a courtesy; if the database is really away, the work itself will notice.
  const checkInBackground = () => void check().catch(() => {});

  function tick(): void {
    if (busy) return;
    busy = true;
    speak()
      .catch(() => {})
      .finally(() => {
        busy = false;
      });
    if (stopListening || performance.now() - begun < listenAfterMs) return;
    const onProgress = (heard: { fence: number }) => heard.fence > fence && checkInBackground();
    stopListening = channel.watch(uploadId, { onProgress, onChange: checkInBackground });
  }
  const timer = setInterval(tick, tickMs);

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
    [Symbol.dispose]() {
      clearInterval(timer);
      stopListening?.();
      // By now the row says how the attempt has ended.
      void channel.announceChange([uploadId]);
    },
  };
}
