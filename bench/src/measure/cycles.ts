import type { Figures, Metric } from './rounds.ts';

export const cycleTime: Metric = { key: 'cycleUs', title: 'µs a cycle', better: 'lower' };

// Looking at the clock costs about as much as a cycle of the fastest, so it is done rarely.
const cyclesBetweenLooks = 500;

/** How long one cycle takes while `concurrency` loops run them. */
export async function timeCycles(
  concurrency: number,
  measureMs: number,
  cycle: () => Promise<void>,
): Promise<Figures> {
  const start = performance.now();
  const until = start + measureMs;
  let cycles = 0;
  async function loop(): Promise<void> {
    while (performance.now() < until) {
      for (let i = 0; i < cyclesBetweenLooks; i += 1) await cycle();
      cycles += cyclesBetweenLooks;
    }
  }
  await Promise.all(Array.from({ length: concurrency }, loop));
  return { cycleUs: ((performance.now() - start) * 1_000) / cycles };
}
