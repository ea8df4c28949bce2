import type { LaneName } from './options.ts';

export interface LaneStatus {
  checked_out: number;
  waiting: number;
  guaranteed: number;
  max: number;
}

/** A snapshot. Field names are those of the monitoring API. */
export interface PoolStatus {
  /** Core size. */
  pool_size: number;
  max_overflow: number;
  /** Idle, ready to be lent. */
  checked_in: number;
  checked_out: number;
  /** Open beyond the core size. */
  overflow: number;
  opening: number;
  waiting: number;
  /** Closed because they were found broken, since the start. */
  invalid: number;
  lanes: Record<LaneName, LaneStatus>;
}
