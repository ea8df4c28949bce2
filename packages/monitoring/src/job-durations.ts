/** Mean duration of the last 200 jobs. */
export interface JobDurations {
  record(ms: number): void;
  /** `jobs` 0: none was done yet. */
  mean(): { seconds: number | null; jobs: number };
}

const kept = 200;

export function createJobDurations(): JobDurations {
  const durations: number[] = [];
  return {
    record(ms) {
      durations.push(ms);
      if (durations.length > kept) durations.shift();
    },
    mean() {
      const jobs = durations.length;
      if (jobs === 0) return { seconds: null, jobs };
      return { seconds: durations.reduce((sum, ms) => sum + ms, 0) / jobs / 1_000, jobs };
    },
  };
}
