import type { Queryable } from '@sluice/pool';
import { countUnfinished } from '@sluice/store';
import { HttpProblem } from './http-problem.ts';

/** Says no to new uploads while too many wait, so that a backlog ends some day and the database does not fill up. */
export interface UploadBacklog {
  /** Throws `backlog_full`. */
  requireRoom(): Promise<void>;
}

const retryAfterSeconds = 10;

/** Counted at most once in `maxAgeMs`, however many uploads come; so many as come in that time may be over the limit. */
export function createUploadBacklog(
  db: Queryable,
  { limit, maxAgeMs = 1_000 }: { limit: number; maxAgeMs?: number },
): UploadBacklog {
  let counting: Promise<number> | undefined;
  let countedAt = 0;

  function count(): Promise<number> {
    if (counting && performance.now() - countedAt < maxAgeMs) return counting;
    countedAt = performance.now();
    const asked = countUnfinished(db, limit);
    counting = asked;
    asked.catch(() => {
      if (counting === asked) counting = undefined;
    });
    return asked;
  }

  return {
    async requireRoom() {
      if (limit === 0 || (await count()) < limit) return;
      throw new HttpProblem(
        'backlog_full',
        `${limit} uploads wait or are being worked on, which is the limit: send it again later, or run more workers`,
        { limit, retryAfterSeconds },
      );
    },
  };
}
