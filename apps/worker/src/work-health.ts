import type { ConsumerStatus } from '@sluice/queue';

export interface WorkStatus extends Pick<ConsumerStatus, 'state' | 'since' | 'progressAt' | 'jobs'> {
  /** Since when jobs have waited in the queue, as far as this worker has looked; null when none does. */
  waitingSince?: Date | null;
}

export interface WorkLimits {
  /** So long may nothing move on, in milliseconds. */
  stuckMs: number;
}

export interface WorkHealth {
  healthy: boolean;
  /** In words, with the jobs and times that it rests on. */
  detail: string;
}

const shownJobs = 5;

function latest(...dates: (Date | null | undefined)[]): Date {
  return new Date(Math.max(...dates.map((date) => date?.getTime() ?? 0)));
}

/** Those that have not moved on for too long, the oldest first. */
export function stuckJobs({ state, since, jobs }: WorkStatus, now: Date, { stuckMs }: WorkLimits) {
  if (state !== 'running') return [];
  return jobs
    .filter(({ progressAt }) => now.getTime() - latest(progressAt, since).getTime() > stuckMs)
    .sort((a, b) => a.progressAt.getTime() - b.progressAt.getTime());
}

/**
 * Alive is a worker that gets on. Not healthy: it has jobs and none has moved on, or it has none and takes none although jobs wait, which is
 * what a queue whose connection died in silence looks like. While it is paused its jobs wait for the database, and a restart would not
 * make that any better; while it stops it has a deadline anyway.
 */
export function workHealth(status: WorkStatus, now: Date, limits: WorkLimits): WorkHealth {
  const { state, since, progressAt, jobs, waitingSince } = status;
  if (state !== 'running') return { healthy: true, detail: `${state}, ${jobs.length} jobs in hand` };
  const late = (from: Date) => now.getTime() - from.getTime() > limits.stuckMs;
  const movedAt = latest(progressAt, since);
  if (jobs.length > 0) {
    if (!late(movedAt)) return { healthy: true, detail: `${jobs.length} jobs in hand` };
    const stuck = stuckJobs(status, now, limits).slice(0, shownJobs);
    const named = stuck.map((job) => `${job.jobId} since ${job.progressAt.toISOString()}`).join(', ');
    return { healthy: false, detail: `none of ${jobs.length} jobs moves on: ${named}` };
  }
  const idleSince = waitingSince && latest(waitingSince, movedAt);
  if (idleSince && late(idleSince)) {
    return {
      healthy: false,
      detail: `jobs wait in the queue and none was taken since ${idleSince.toISOString()}`,
    };
  }
  return { healthy: true, detail: 'nothing to do' };
}
