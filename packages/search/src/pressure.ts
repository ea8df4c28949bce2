export interface PressureOptions {
  /** A line is late when its head has waited this long, in ms. Below what the lane sheds at, so that it comes first. */
  lateMs: number;
  /** Late for so long on end, in ms: one step down. */
  stepDownMs: number;
  /** Calm for so long on end, in ms: one step back up. Longer, so that steps do not follow each other to and fro. */
  stepUpMs: number;
}

/** Steps down from full effort. */
export type PressureLevel = 0 | 1 | 2;

export interface Pressure {
  /** To be told often, while there are searches, how long the head of their line has waited. */
  observe(headMs: number, now: number): PressureLevel;
}

const calmBelow = 1 / 4;

/**
 * Whether searches are under pressure, from the wait of who is first in their line.
 *
 * level -> level + 1 when heads were late for `stepDownMs` on end; level -> level - 1 when all were calm, which is well below late, for
 * `stepUpMs` on end. What is in between holds the level. Where nobody asked for `stepUpMs` there is no line.
 */
export function createPressure({ lateMs, stepDownMs, stepUpMs }: PressureOptions): Pressure {
  let level: PressureLevel = 0;
  let state: 'late' | 'calm' | 'between' = 'calm';
  let since = 0;
  let lastAt = Number.NEGATIVE_INFINITY;

  function stateOf(headMs: number): typeof state {
    if (headMs >= lateMs) return 'late';
    return headMs < lateMs * calmBelow ? 'calm' : 'between';
  }

  return {
    observe(headMs, now) {
      if (now - lastAt > stepUpMs) {
        level = 0;
        state = 'calm';
      }
      lastAt = now;
      const current = stateOf(headMs);
      if (current !== state) {
        state = current;
        since = now;
      }
      const lastedMs = now - since;
      if (state === 'late' && level < 2 && lastedMs >= stepDownMs) {
        level = (level + 1) as PressureLevel;
        since = now;
      } else if (state === 'calm' && level > 0 && lastedMs >= stepUpMs) {
        level = (level - 1) as PressureLevel;
        since = now;
      }
      return level;
    },
  };
}
