import type { PoolStatus } from '@sluice/pool';
import type { PoolUse } from './pool-history.ts';

/** What a worker does. */
export interface WorkReport {
  state: 'idle' | 'running' | 'paused' | 'draining' | 'closed';
  concurrency: number;
  active: number;
  /** ISO 8601; null before its first job. */
  progressAt: string | null;
  healthy: boolean;
  detail: string | null;
  /** Mean time of the jobs that it has done lately, and how many those are. */
  serviceSeconds: number | null;
  jobs: number;
}

/** What a gateway or worker says of itself every few seconds. */
export interface ProcessReport {
  pool: Pick<PoolStatus, 'pool_size' | 'max_overflow' | 'checked_out' | 'waiting' | 'budget_share'> & {
    use: PoolUse;
  };
  /** Core and overflow as configured: more than it has where the budget gives it less. */
  wanted: number;
  work: WorkReport | null;
}

export function reportPool(status: PoolStatus, use: PoolUse): ProcessReport['pool'] {
  const { pool_size, max_overflow, checked_out, waiting, budget_share } = status;
  return { pool_size, max_overflow, checked_out, waiting, budget_share, use };
}
