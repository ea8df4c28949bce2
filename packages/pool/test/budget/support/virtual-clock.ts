import type { Clock, Timer } from '../../../src/budget/index.ts';

interface Pending extends Timer {
  due: number;
  call: () => void;
}

export interface ProcessClock extends Clock {
  readonly paused: boolean;
  pause(): void;
  resume(): void;
  kill(): void;
}

export interface VirtualClock extends Clock {
  /** Runs what falls due on the way, in order, and lets promises settle in between. */
  advance(ms: number): Promise<void>;
  /** A clock of one process on this time: while it is paused its timers wait, as after SIGSTOP. */
  process(): ProcessClock;
}

export function createVirtualClock(): VirtualClock {
  let now = 1_000;
  let pending: Pending[] = [];

  function setTimer(call: () => void, ms: number): Pending {
    const timer = { due: now + ms, call };
    pending.push(timer);
    return timer;
  }

  function clearTimer(timer: Timer | undefined): void {
    pending = pending.filter((each) => each !== timer);
  }

  return {
    now: () => now,
    setTimeout: setTimer,
    clearTimeout: clearTimer,
    async advance(ms) {
      const end = now + ms;
      await settled();
      for (;;) {
        const next = pending.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
        if (!next) break;
        now = Math.max(now, next.due);
        clearTimer(next);
        next.call();
        await settled();
      }
      now = end;
    },
    process() {
      let state: 'runs' | 'paused' | 'killed' = 'runs';
      let missed: (() => void)[] = [];
      return {
        now: () => now,
        setTimeout(call, ms) {
          const timer = setTimer(() => {
            if (state === 'runs') call();
            if (state === 'paused') missed.push(call);
          }, ms);
          return timer;
        },
        clearTimeout: clearTimer,
        get paused() {
          return state === 'paused';
        },
        pause() {
          state = 'paused';
        },
        resume() {
          if (state !== 'paused') return;
          state = 'runs';
          for (const call of missed.splice(0)) call();
        },
        kill() {
          state = 'killed';
          missed = [];
        },
      };
    },
  };
}

/** All promises that can go on have gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
