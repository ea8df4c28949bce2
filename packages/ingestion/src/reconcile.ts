import type { Lane } from '@sluice/pool';
import {
  deleteAbandonedUploads,
  deleteEmptyBatches,
  deleteIdempotencyKeys,
  deleteOldAudit,
  deleteOldDeletions,
  deleteOldDeliveries,
  deleteOrphanedChunks,
  type QuietUpload,
  takeLease,
  touchQuietUploads,
} from '@sluice/store';

export interface ReconcileOptions {
  db: Lane;
  /** Makes sure that each upload has a job; one that has is left alone. Returns how many had none. */
  enqueue: (uploads: QuietUpload[]) => Promise<number>;
  intervalMs: number;
  /** A request that has brought nothing for this long is over. */
  abandonedAfterMs: number;
  onError: (error: unknown) => void;
}

export interface ReconcileReport {
  /** Uploads that had lost their jobs. */
  enqueued: number;
  abandoned: number;
  orphanedChunks: number;
  forgottenKeys: number;
  forgottenReceipts: number;
  emptyBatches: number;
  oldDeliveries: number;
  oldAudit: number;
}

const batch = 1_000;
// Who repeats a request does so within minutes; a day also covers a night of retries.
const keysKeptMs = 24 * 3_600_000;
const receiptsKeptMs = 90 * 24 * 3_600_000;
// Whoever creates a batch fills it soon; one whose uploads are all deleted tells nothing any more.
const emptyBatchesKeptMs = 7 * 24 * 3_600_000;
// Attempts at a webhook end within two days.
const deliveriesKeptMs = 7 * 24 * 3_600_000;
// A year, and some weeks in which to look back at it.
const auditKeptMs = 400 * 24 * 3_600_000;

/**
 * Brings queue and tables back in line with the uploads, which hold the truth: after a flush of Redis, a crash between
 * commit and enqueue, or a worker that died. Undefined when another replica does it now.
 */
export async function reconcile({
  db,
  enqueue,
  intervalMs,
  abandonedAfterMs,
}: ReconcileOptions): Promise<ReconcileReport | undefined> {
  if (!(await takeLease(db, 'reconcile', intervalMs * 0.9))) return undefined;
  return {
    enqueued: await enqueueQuiet(db, intervalMs, enqueue),
    abandoned: await deleteAbandonedUploads(db, abandonedAfterMs),
    orphanedChunks: await deleteOrphanedChunks(db),
    forgottenKeys: await deleteIdempotencyKeys(db, keysKeptMs),
    forgottenReceipts: await deleteOldDeletions(db, receiptsKeptMs),
    emptyBatches: await deleteEmptyBatches(db, emptyBatchesKeptMs),
    oldDeliveries: await deleteOldDeliveries(db, deliveriesKeptMs),
    oldAudit: await deleteOldAudit(db, auditKeptMs),
  };
}

/**
 * A batch at a time, as those of a long line that is in order are quiet too. Where jobs are missing the queue may have lost them all,
 * so it goes on until it finds none.
 */
async function enqueueQuiet(
  db: Lane,
  quietMs: number,
  enqueue: ReconcileOptions['enqueue'],
): Promise<number> {
  let enqueued = 0;
  for (;;) {
    const quiet = await touchQuietUploads(db, quietMs, batch);
    const missing = quiet.length > 0 ? await enqueue(quiet) : 0;
    enqueued += missing;
    if (missing === 0 || quiet.length < batch) return enqueued;
  }
}

/** Reconciles at once and then every `intervalMs`. */
export function startReconciler(
  options: ReconcileOptions & { onReport: (report: ReconcileReport) => void },
): AsyncDisposable {
  let running: Promise<void> = Promise.resolve();
  const run = () => {
    running = running
      .then(() => reconcile(options))
      .then((report) => report && options.onReport(report))
      .catch(options.onError);
  };
  run();
  const timer = setInterval(run, options.intervalMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
