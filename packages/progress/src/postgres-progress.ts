import type { Queryable } from '@sluice/pool';
import { type AttemptRow, readAttempts, recordProgress } from '@sluice/store';
import { isNewer } from './is-newer.ts';
import type { ProgressChannel } from './progress-channel.ts';
import { createWatchedUploads } from './watched-uploads.ts';

export interface PostgresProgressOptions {
  db: Queryable;
  /** How often watched uploads are looked at, in ms; one statement for all of them. Default 300. */
  pollMs?: number | (() => number);
  /** Least time between two writes of one upload's progress, in ms. Each is an update of its row. Default 500. */
  paceMs?: number;
  onError?(error: unknown): void;
}

/** Progress through the rows of the uploads themselves: for where there is no Redis, and for when it is away. */
export function createPostgresProgress({
  db,
  pollMs = 300,
  paceMs = 500,
  onError = () => {},
}: PostgresProgressOptions): ProgressChannel {
  const watched = createWatchedUploads();
  const seen = new Map<string, AttemptRow | undefined>();
  const interval = typeof pollMs === 'number' ? () => pollMs : pollMs;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function compare(uploadId: string, row: AttemptRow | undefined): void {
    const before = seen.get(uploadId);
    const known = seen.has(uploadId);
    seen.set(uploadId, row);
    if (!known || before?.fence !== row?.fence || before?.state !== row?.state) watched.change(uploadId);
    else if (before && row && row.state === 'processing' && isNewer(row, before)) watched.progress(row);
  }

  async function look(): Promise<void> {
    const ids = watched.ids();
    const rows = new Map((await readAttempts(db, ids)).map((row) => [row.uploadId, row]));
    for (const id of ids) if (watched.has(id)) compare(id, rows.get(id));
  }

  function schedule(): void {
    if (timer || closed || watched.ids().length === 0) return;
    timer = setTimeout(() => {
      void look()
        .catch(onError)
        .finally(() => {
          timer = undefined;
          schedule();
        });
    }, interval());
  }

  return {
    paceMs,
    async announce({ uploadId, fence, ...progress }) {
      // If the database is really away, the work itself will notice.
      return recordProgress(db, uploadId, fence, progress).catch(() => undefined);
    },
    // The next look finds it.
    announceChange: async () => {},
    newest: async (known) => [...known],
    watch(uploadId, listener) {
      watched.add(uploadId, listener);
      // Whoever comes later is told with the others that it has begun.
      seen.delete(uploadId);
      schedule();
      return () => {
        if (watched.remove(uploadId, listener)) seen.delete(uploadId);
      };
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
      watched.clear();
    },
  };
}
