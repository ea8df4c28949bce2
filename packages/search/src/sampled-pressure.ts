import { createPressure, type PressureLevel, type PressureOptions } from './pressure.ts';

// The interactive lane sheds a line that has stood for a second and whose head has waited for half of one, and opens overflow for
// heads of 50 ms.
const defaults: PressureOptions = { lateMs: 100, stepDownMs: 250, stepUpMs: 2_000 };
const sampleMs = 20;

/** The level now; `readHeadMs` says how long the head of the line has waited, and is asked at most every 20 ms. */
export function samplePressure(readHeadMs: () => number, options = defaults): () => PressureLevel {
  const pressure = createPressure(options);
  let level: PressureLevel = 0;
  let sampledAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - sampledAt < sampleMs) return level;
    sampledAt = now;
    level = pressure.observe(readHeadMs(), now);
    return level;
  };
}
