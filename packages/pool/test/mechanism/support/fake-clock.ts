import type { Clock } from '../../../src/clock.ts';

interface Timer {
  at: number;
  order: number;
  wake: () => void;
}

/** Time that stands still until the test moves it. Timers fire in order of their time, then of their making. */
export class FakeClock implements Clock {
  /** Timers set so far, to see who looks at the clock too often. */
  timersSet = 0;
  #now = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  readonly now = (): number => this.#now;

  readonly setTimeout = (wake: () => void, ms: number): Timer => {
    this.timersSet += 1;
    this.#order += 1;
    const timer = { at: this.#now + Math.max(0, ms), order: this.#order, wake };
    this.#timers.add(timer);
    return timer;
  };

  readonly clearTimeout = (timer: unknown): void => {
    this.#timers.delete(timer as Timer);
  };

  get pending(): number {
    return this.#timers.size;
  }

  /** Runs what falls due on the way, and lets promises go on in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await promisesSettled();
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#now = timer.at;
      timer.wake();
      await promisesSettled();
    }
    this.#now = end;
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

/** The pool chains a few promises and never more than these. */
export async function promisesSettled(): Promise<void> {
  for (let i = 0; i < 6; i += 1) await undefined;
}
