import type { Clock } from './clock.ts';
import { DurationTotals } from './duration-totals.ts';
import { RecentDurations } from './histogram.ts';

/** What happened on one lane since the start. */
export interface LaneCounters {
  acquired: number;
  timeouts: number;
  aborted: number;
  waits: RecentDurations;
  uses: RecentDurations;
}

/** What happened to the pool since the start. */
export interface Counters {
  opened: number;
  closed: number;
  invalid: number;
  connectFailures: number;
  recycled: number;
  pingsFailed: number;
  leaks: number;
  resizes: number;
  creates: DurationTotals;
  lanes: Record<string, LaneCounters>;
}

export function createCounters(lanes: Iterable<string>, clock: Clock): Counters {
  const ofLane = (): LaneCounters => ({
    acquired: 0,
    timeouts: 0,
    aborted: 0,
    waits: new RecentDurations(clock),
    uses: new RecentDurations(clock),
  });
  return {
    opened: 0,
    closed: 0,
    invalid: 0,
    connectFailures: 0,
    recycled: 0,
    pingsFailed: 0,
    leaks: 0,
    resizes: 0,
    creates: new DurationTotals(),
    lanes: Object.fromEntries([...lanes].map((name) => [name, ofLane()])),
  };
}
