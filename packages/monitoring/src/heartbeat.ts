import type { Queryable } from '@sluice/pool';
import { forgetProcess, type ProcessIdentity, reportProcess } from '@sluice/store';
import type { ProcessReport } from './process-report.ts';

export interface HeartbeatOptions {
  /** The control lane: it has a connection when all others are busy. */
  db: Queryable;
  process: ProcessIdentity;
  read(): ProcessReport;
  /** Default 5 000. */
  intervalMs?: number;
  onError(error: unknown): void;
}

export const heartbeatMs = 5_000;
/** Who has been silent for so long is not counted any more. */
export const presumedGoneMs = 4 * heartbeatMs;

/** Says every few seconds that this process lives and what it does. Nothing depends on it but what operators are shown. */
export function startHeartbeat({
  db,
  process,
  read,
  intervalMs = heartbeatMs,
  onError,
}: HeartbeatOptions): AsyncDisposable {
  let beating: Promise<void> | undefined;

  function beat(): void {
    // A database that is too slow for one shall not be sent the next as well.
    beating ??= reportProcess(db, process, read())
      .catch(onError)
      .finally(() => {
        beating = undefined;
      });
  }
  beat();
  const timer = setInterval(beat, intervalMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await beating;
      await forgetProcess(db, process.id).catch(onError);
    },
  };
}
