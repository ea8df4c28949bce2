import type { UploadStage } from '@sluice/store';

/** Time by stage, in milliseconds. What goes on at the same time counts for each. */
export interface Stopwatch {
  measure<T>(stage: UploadStage, work: Promise<T>): Promise<T>;
  read(): Partial<Record<UploadStage, number>>;
}

export function createStopwatch(): Stopwatch {
  const totals: Partial<Record<UploadStage, number>> = {};
  return {
    async measure(stage, work) {
      const start = performance.now();
      try {
        return await work;
      } finally {
        totals[stage] = (totals[stage] ?? 0) + performance.now() - start;
      }
    },
    read: () => Object.fromEntries(Object.entries(totals).map(([stage, ms]) => [stage, Math.round(ms)])),
  };
}
