/** Uploads per second, from looks at a number that grows by one with each. */
export interface ArrivalRate {
  observe(lastSequence: number, now?: number): void;
  /** Of the last minute, or of what was seen of it. */
  perSecond(): number;
}

const windowMs = 60_000;

export function createArrivalRate(): ArrivalRate {
  const looks: { at: number; sequence: number }[] = [];
  return {
    observe(sequence, at = performance.now()) {
      const last = looks.at(-1);
      // A restored or emptied database counts from somewhere else.
      if (last && sequence < last.sequence) looks.length = 0;
      looks.push({ at, sequence });
      // One look from before the window stays: the rate is counted from it.
      while (looks.length > 2 && at - (looks[1] as { at: number }).at >= windowMs) looks.shift();
    },
    perSecond() {
      const [first, last] = [looks[0], looks.at(-1)];
      if (!first || !last || last.at === first.at) return 0;
      return ((last.sequence - first.sequence) * 1_000) / (last.at - first.at);
    },
  };
}
